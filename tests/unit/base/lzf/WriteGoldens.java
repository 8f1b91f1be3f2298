import com.ning.compress.lzf.LZFEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;

/* Wrote the .lzf files here with compress-lzf 1.0.2, the library of Elasticsearch 1.x and 2.x, so
 * that the decoder is held against another hand than ours. Run with it on the class path; the test
 * makes the same bytes again. */
public class WriteGoldens {
	static byte[] counted(int lines) {
		StringBuilder text = new StringBuilder();
		for (int i = 0; i < lines; i++)
			text.append("line ").append(i).append(" of the text\n");
		return text.toString().getBytes(StandardCharsets.US_ASCII);
	}

	static byte[] noise(int length) {
		byte[] bytes = new byte[length];
		int state = 1;
		for (int i = 0; i < length; i++) {
			state = state * 1103515245 + 12345;
			bytes[i] = (byte) (state >>> 16);
		}
		return bytes;
	}

	static void golden(String name, byte[] plain) throws Exception {
		Files.write(Paths.get(name + ".lzf"), LZFEncoder.encode(plain));
	}

	public static void main(String[] args) throws Exception {
		golden("counted", counted(4000));
		golden("noise", noise(300));
		golden("zeros", new byte[70000]);
		golden("empty", new byte[0]);
	}
}
