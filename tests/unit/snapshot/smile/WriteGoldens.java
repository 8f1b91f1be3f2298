import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.dataformat.smile.SmileFactory;
import com.fasterxml.jackson.dataformat.smile.SmileGenerator;
import java.io.FileOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;

/* Wrote the .smile files here with jackson-dataformat-smile 2.15.0, the library that Elasticsearch
 * writes its metadata with, so that the decoder is held against another hand than ours. Run with
 * jackson-core and jackson-dataformat-smile on the class path; the test says what is in them. */
public class WriteGoldens {
	interface Body {
		void write(JsonGenerator out) throws Exception;
	}

	static void golden(String name, boolean sharedStrings, boolean safeBinary, Body body) throws Exception {
		SmileFactory factory = new SmileFactory();
		factory.configure(SmileGenerator.Feature.CHECK_SHARED_STRING_VALUES, sharedStrings);
		factory.configure(SmileGenerator.Feature.ENCODE_BINARY_AS_7BIT, safeBinary);
		try (JsonGenerator out = factory.createGenerator(new FileOutputStream(name + ".smile"))) {
			body.write(out);
		}
	}


	public static void main(String[] args) throws Exception {
		/* Each name twice, so that its second use is a reference; lengths around each limit of the
		 * encoding, ASCII and not. */
		golden("long_names", false, false, out -> {
			int[] lengths = {1, 55, 56, 57, 63, 64, 65, 66, 300};
			out.writeStartArray();
			for (int round = 0; round < 2; round++) {
				out.writeStartObject();
				for (int length : lengths)
					out.writeNumberField("n".repeat(length), length);
				for (int length : lengths)
					out.writeNumberField("é".repeat(length), length);
				out.writeEndObject();
			}
			out.writeEndArray();
		});
		/* More names than the table holds: it starts anew, and references count from there. */
		golden("many_names", false, false, out -> {
			out.writeStartArray();
			for (int round = 0; round < 2; round++) {
				out.writeStartObject();
				for (int i = 0; i < 1500; i++)
					out.writeNumberField("name" + i, i);
				out.writeEndObject();
				for (int i = 1400; i < 1500; i++) {
					out.writeStartObject();
					out.writeNumberField("name" + i, i);
					out.writeEndObject();
				}
			}
			out.writeEndArray();
		});
		/* Shared string values, short and long references, and strings too long to share. */
		golden("shared_strings", true, false, out -> {
			out.writeStartArray();
			for (int round = 0; round < 2; round++)
				for (int i = 0; i < 100; i++)
					out.writeString("value" + i);
			for (int length : new int[] {63, 64, 65, 66, 63, 64, 65, 66}) {
				out.writeString("x".repeat(length));
				out.writeString("é".repeat(length / 2));
			}
			for (int i = 0; i < 2000; i++)
				out.writeString("many" + i % 1500);
			out.writeEndArray();
		});
		golden("numbers", false, false, out -> {
			out.writeStartArray();
			for (long n : new long[] {0, -1, 1, -16, 15, -17, 16, 63, 64, Integer.MAX_VALUE,
					Integer.MIN_VALUE, 1L + Integer.MAX_VALUE, Long.MAX_VALUE, Long.MIN_VALUE})
				out.writeNumber(n);
			for (double n : new double[] {0.0, -0.0, 1.0, 0.1, -2.5, 1e300, 4.9e-324, 123456789.125})
				out.writeNumber(n);
			for (float n : new float[] {0.1f, 3.0e10f, -1.5f, 16777216f})
				out.writeNumber(n);
			for (String n : new String[] {"0", "-1", "255", "256", "-256", "18446744073709551615",
					"-170141183460469231731687303715884105728",
					"99999999999999999999999999999999999999999999999999999999999999999999"})
				out.writeNumber(new BigInteger(n));
			for (String n : new String[] {"0", "1.10", "-12345678901234567890.5", "7e100"})
				out.writeNumber(new BigDecimal(n));
			out.writeNumber(Double.NaN);
			out.writeNumber(Float.NEGATIVE_INFINITY);
			out.writeEndArray();
		});
		for (boolean safe : new boolean[] {false, true})
			golden(safe ? "binary_7bit" : "binary_raw", false, safe, out -> {
				out.writeStartArray();
				for (int length = 0; length <= 30; length++) {
					byte[] bytes = new byte[length];

					for (int i = 0; i < length; i++)
						bytes[i] = (byte) (255 - 37 * i);
					out.writeBinary(bytes);
				}
				out.writeEndArray();
			});
		golden("texts", false, false, out -> {
			out.writeStartObject();
			out.writeStringField("", "");
			out.writeNullField("null");
			out.writeBooleanField("true", true);
			out.writeBooleanField("false", false);
			for (int length : new int[] {1, 31, 32, 33, 34, 63, 64, 65, 66, 1000}) {
				out.writeStringField("ascii" + length, "a".repeat(length));
				out.writeStringField("other" + length, "é".repeat(length));
			}
			out.writeStringField("pair", "\uD83D\uDE00");
			out.writeObjectFieldStart("empty");
			out.writeEndObject();
			out.writeArrayFieldStart("none");
			out.writeEndArray();
			out.writeEndObject();
		});
	}
}
