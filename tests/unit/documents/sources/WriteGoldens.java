import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.smile.SmileFactory;
import com.fasterxml.jackson.dataformat.smile.SmileGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Paths;

/* Wrote the documents here with Jackson 2.14.2 (jackson-core, -databind and the data formats smile,
 * cbor and yaml, and snakeyaml 1.33), and beside each the JSON that it becomes the way Elasticsearch
 * shows a source: read by Jackson's parser, copied event by event. Run with the jars on the class
 * path.
 * Numbers that Java before 19 prints longer than they need to be are left out. */
public class WriteGoldens {
	interface Body {
		void write(JsonGenerator out) throws Exception;
	}

	static void golden(String name, JsonFactory factory, Body body) throws Exception {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream(), json = new ByteArrayOutputStream();
		try (JsonGenerator out = factory.createGenerator(bytes)) {
			out.writeStartObject();
			body.write(out);
			out.writeEndObject();
		}
		try (JsonParser in = factory.createParser(bytes.toByteArray());
				JsonGenerator out = new JsonFactory().createGenerator(json)) {
			in.nextToken();
			out.copyCurrentStructure(in);
		}
		Files.write(Paths.get(name), bytes.toByteArray());
		Files.write(Paths.get(name + ".json"), json.toByteArray());
	}

	static void all(String name, Body body) throws Exception {
		binary(name, body);
		golden(name + ".yaml", new YAMLFactory(), body);
		golden(name + ".bare.yaml", new YAMLFactory().enable(YAMLGenerator.Feature.MINIMIZE_QUOTES), body);
	}

	static void binary(String name, Body body) throws Exception {
		golden(name + ".smile", new SmileFactory(), body);
		golden(name + ".shared.smile",
			new SmileFactory().enable(SmileGenerator.Feature.CHECK_SHARED_STRING_VALUES)
				.disable(SmileGenerator.Feature.CHECK_SHARED_NAMES), body);
		golden(name + ".cbor", new CBORFactory(), body);
	}

	static void numbers(JsonGenerator out) throws Exception {
		out.writeArrayFieldStart("integers");
		for (long n : new long[] {0, -1, 1, 23, 24, 255, 256, 65535, 65536, -24, -25, -256, -257, -16, 15,
				-17, 16, Integer.MAX_VALUE, Integer.MIN_VALUE, 1L + Integer.MAX_VALUE, 1L << 32,
				Long.MAX_VALUE, Long.MIN_VALUE})
			out.writeNumber(n);
		out.writeNumber(new BigInteger("18446744073709551616"));
		out.writeNumber(new BigInteger("-18446744073709551617"));
		out.writeNumber(BigInteger.valueOf(10).pow(300));
		out.writeEndArray();
		out.writeArrayFieldStart("doubles");
		for (double n : new double[] {0.0, -0.0, 1.0, 0.1, -2.5, 1e300, 123456789.125, 0.001, 0.00099,
				1e7, 9999999.5, 1.0 / 3, Double.MAX_VALUE, Double.MIN_NORMAL, 4.9e-324, 100.0,
				1e22, -1234.5678})
			out.writeNumber(n);
		out.writeEndArray();
	}

	static void floats(JsonGenerator out) throws Exception {
		out.writeArrayFieldStart("floats");
		for (float n : new float[] {0.1f, 1.1f, 1.0e10f, -1.5f, 16777216f, 1f / 3, 3.4028235e38f, 1.4e-45f,
				0.001f, 1e7f})
			out.writeNumber(n);
		out.writeNumber(Double.NaN);
		out.writeNumber(Double.POSITIVE_INFINITY);
		out.writeNumber(Float.NEGATIVE_INFINITY);
		out.writeEndArray();
		out.writeArrayFieldStart("decimals");
		for (String n : new String[] {"0", "1.10", "-12345678901234567890.5", "0.00", "0.000001", "0.0000001",
				"-0.0000012", "655.35", "100"})
			out.writeNumber(new BigDecimal(n));
		out.writeEndArray();
	}

	static void texts(JsonGenerator out) throws Exception {
		for (int length : new int[] {0, 1, 23, 24, 31, 32, 33, 63, 64, 65, 66, 100, 255, 256, 300}) {
			out.writeStringField("ascii" + length, "a".repeat(length));
			out.writeStringField("é".repeat(length) + "!", "ж".repeat(length));
		}
		out.writeStringField("long", "0123456789 äöü€ ".repeat(400));
		out.writeStringField("emoji", "\uD83D\uDE00 and \u2028");
		out.writeStringField("controls", "\u0001 \t \n \r \" \\ / \u007f");
		for (String word : new String[] {"", "null", "~", "true", "yes", "No", "1", "1.5", "-",
				"- a", "a: b", "a #b", "#", "*a", "&a", "!a", "%a", "@a", "`a", "'", "\"", " a ", "a\nb",
				"a\n", "\na", "---", "...", "[", "{", ",", "|", ">", "2001-01-01", "1:30", "=", "<<"})
			out.writeStringField("word " + word, word);
	}

	static void structures(JsonGenerator out) throws Exception {
		out.writeObjectFieldStart("empty");
		out.writeEndObject();
		out.writeArrayFieldStart("none");
		out.writeEndArray();
		out.writeNullField("null");
		out.writeBooleanField("true", true);
		out.writeBooleanField("false", false);
		out.writeArrayFieldStart("deep");
		for (int i = 0; i < 40; i++) {
			out.writeStartObject();
			out.writeArrayFieldStart("level");
			out.writeNumber(i);
		}
		for (int i = 0; i < 40; i++) {
			out.writeEndArray();
			out.writeStringField("after", "level " + i);
			out.writeEndObject();
		}
		out.writeEndArray();
		out.writeFieldName("counted");
		out.writeStartArray(new Object(), 3);
		out.writeNumber(1);
		out.writeStartArray(new Object(), 0);
		out.writeEndArray();
		out.writeString("x");
		out.writeEndArray();
	}

	static void bytes(JsonGenerator out) throws Exception {
		for (int length : new int[] {0, 1, 2, 3, 6, 7, 8, 13, 14, 300}) {
			byte[] bytes = new byte[length];
			for (int i = 0; i < length; i++)
				bytes[i] = (byte) (255 - 37 * i);
			out.writeBinaryField("bytes" + length, bytes);
		}
	}

	/* Twice the same names and values, so many that tables of 1,024 start anew, and at every place of
	 * them, 254 and 255 included. */
	static void repeats(JsonGenerator out) throws Exception {
		for (int count : new int[] {300, 700, 1100})
			for (int round = 0; round < 2; round++) {
				out.writeObjectFieldStart("round " + count + " " + round);
				for (int i = 0; i < count; i++)
					out.writeStringField("n" + count + i, "v" + count + i);
				out.writeEndObject();
			}
	}

	public static void main(String[] args) throws Exception {
		all("numbers", WriteGoldens::numbers);
		binary("floats", WriteGoldens::floats);
		all("texts", WriteGoldens::texts);
		all("structures", WriteGoldens::structures);
		binary("bytes", WriteGoldens::bytes);
		golden("bytes.raw.smile", new SmileFactory().disable(SmileGenerator.Feature.ENCODE_BINARY_AS_7BIT),
			WriteGoldens::bytes);
		golden("bytes.yaml", new YAMLFactory(), WriteGoldens::bytes);
		golden("repeats.smile", new SmileFactory().enable(SmileGenerator.Feature.CHECK_SHARED_STRING_VALUES),
			WriteGoldens::repeats);
	}
}
