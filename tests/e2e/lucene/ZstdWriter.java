/* Writes a Lucene index whose stored fields are compressed as OpenSearch's custom-codecs plugin does
 * for `index.codec` zstd and zstd_no_dict, and what Lucene reads out of it.
 *
 *   ZstdWriter DIR ZSTD|ZSTDNODICT compound|plain       (write-zstd runs it)
 *
 * The plugin itself is in no registry: these are Lucene's own classes, with compression modes
 * written after the plugin's published layout (ZstdCompressionMode, ZstdNoDictCompressionMode,
 * Lucene912CustomStoredFieldsFormat of custom-codecs 2.19) and named as it names them.
 *
 * DIR/index gets the index; DIR/expected.ndjson the live documents, as OpenSearch's own reader would
 * see them: a line {"_id", "_routing", "_source"} each. */
import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.apache.lucene.codecs.FilterCodec;
import org.apache.lucene.codecs.StoredFieldsFormat;
import org.apache.lucene.codecs.compressing.CompressionMode;
import org.apache.lucene.codecs.compressing.Compressor;
import org.apache.lucene.codecs.compressing.Decompressor;
import org.apache.lucene.codecs.lucene90.compressing.Lucene90CompressingStoredFieldsFormat;
import org.apache.lucene.codecs.lucene912.Lucene912Codec;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NoMergePolicy;
import org.apache.lucene.index.SoftDeletesDirectoryReaderWrapper;
import org.apache.lucene.index.Term;
import org.apache.lucene.store.ByteBuffersDataInput;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.BytesRef;

public class ZstdWriter {
	static final int BLOCKS = 10, LEVEL = 3;

	/* A unit: with a dictionary of a 60th of it, or without one, and ten blocks. */
	static class Mode extends CompressionMode {
		final boolean dictionary;

		Mode(boolean dictionary) {
			this.dictionary = dictionary;
		}

		@Override
		public Compressor newCompressor() {
			return new Compressor() {
				@Override
				public void compress(ByteBuffersDataInput input, DataOutput out)
						throws IOException {
					byte[] bytes = new byte[(int) input.length()];
					input.readBytes(bytes, 0, bytes.length);
					Mode.this.compress(bytes, out);
				}

				@Override
				public void close() {}
			};
		}

		void compress(byte[] bytes, DataOutput out) throws IOException {
			int head = dictionary ? bytes.length / (BLOCKS * 6) : 0;
			int block = (bytes.length - head + BLOCKS - 1) / BLOCKS;
			if (dictionary)
				out.writeVInt(head);
			out.writeVInt(block);
			try (ZstdCompressCtx context = new ZstdCompressCtx()) {
				context.setLevel(LEVEL);
				if (dictionary) {
					part(context, bytes, 0, head, out);
					context.loadDict(java.util.Arrays.copyOf(bytes, head));
				}
				for (int at = head; at < bytes.length; at += block)
					part(context, bytes, at, Math.min(block, bytes.length - at), out);
			}
		}

		static void part(ZstdCompressCtx context, byte[] bytes, int at, int length,
				DataOutput out) throws IOException {
			byte[] packed = new byte[(int) Zstd.compressBound(length)];
			int n = length == 0 ? 0
					: context.compressByteArray(packed, 0, packed.length, bytes, at, length);
			out.writeVInt(n);
			out.writeBytes(packed, n);
		}

		@Override
		public Decompressor newDecompressor() {
			return new Decompressor() {
				@Override
				public void decompress(DataInput in, int original, int offset, int length,
						BytesRef into) throws IOException {
					into.bytes = length == 0 ? into.bytes : Mode.this.decompress(in, original);
					into.offset = length == 0 ? 0 : offset;
					into.length = length;
				}

				@Override
				public Decompressor clone() {
					return newDecompressor();
				}
			};
		}

		byte[] decompress(DataInput in, int length) throws IOException {
			byte[] bytes = new byte[length];
			int head = dictionary ? in.readVInt() : 0, block = in.readVInt();
			try (ZstdDecompressCtx context = new ZstdDecompressCtx()) {
				if (dictionary) {
					part(context, in, bytes, 0, head);
					context.loadDict(java.util.Arrays.copyOf(bytes, head));
				}
				for (int at = head; at < length; at += block)
					part(context, in, bytes, at, Math.min(block, length - at));
			}
			return bytes;
		}

		static void part(ZstdDecompressCtx context, DataInput in, byte[] bytes, int at, int length)
				throws IOException {
			byte[] packed = new byte[in.readVInt()];
			in.readBytes(packed, 0, packed.length);
			if (packed.length > 0)
				context.decompressByteArray(bytes, at, length, packed, 0, packed.length);
		}
	}

	static class Custom extends FilterCodec {
		final StoredFieldsFormat format;

		Custom(String codec, String format, Mode mode) {
			super(codec, new Lucene912Codec());
			this.format = new Lucene90CompressingStoredFieldsFormat(format, mode, 10 * 48 * 1024, 4096,
					10);
		}

		@Override
		public StoredFieldsFormat storedFieldsFormat() {
			return format;
		}
	}

	public static class WithDictionary extends Custom {
		public WithDictionary() {
			super("ZSTD912", "CustomStoredFieldsZstd", new Mode(true));
		}
	}

	public static class WithoutDictionary extends Custom {
		public WithoutDictionary() {
			super("ZSTDNODICT912", "CustomStoredFieldsZstdNoDict", new Mode(false));
		}
	}

	static final Random random = new Random(7);

	static String text(int length, boolean noise) {
		StringBuilder text = new StringBuilder();
		while (text.length() < length)
			text.append(noise ? Long.toHexString(random.nextLong()) : "some words, ");
		return text.substring(0, length);
	}

	static Document document(String id, String routing, String source) {
		byte[] utf8 = id.getBytes(StandardCharsets.UTF_8), uid = new byte[utf8.length + 1];
		uid[0] = (byte) 0xff;
		System.arraycopy(utf8, 0, uid, 1, utf8.length);
		Document document = new Document();
		document.add(new StringField("_id", new BytesRef(uid), Field.Store.YES));
		if (routing != null)
			document.add(new StoredField("_routing", routing));
		document.add(new StoredField("_source", new BytesRef(source)));
		return document;
	}

	static Term term(Document document) {
		return new Term("_id", document.getBinaryValue("_id"));
	}

	static void write(IndexWriter writer) throws IOException {
		Document[] first = new Document[3000];
		for (int i = 0; i < first.length; i++) {
			int length = new int[] {0, 10, 100, 1000}[random.nextInt(4)];
			String source = "{\"n\":" + i + ",\"text\":\"" + text(length, i % 3 == 0) + "\"}";
			first[i] = document("a-" + i, i % 4 == 0 ? "r" + i % 5 : null, source);
			writer.addDocument(first[i]);
		}
		writer.commit();
		/* A document in many slices, one that is hardly compressible, and one alone in its chunk. */
		writer.addDocument(document("large", null, "{\"text\":\"" + text(1_500_000, false) + "\"}"));
		writer.addDocument(document("noise", "r", "{\"text\":\"" + text(200_000, true) + "\"}"));
		writer.addDocument(document("small", null, "{}"));
		/* A child of a nested document: nothing is stored of it. */
		writer.addDocument(new Document());
		for (int i = 0; i < 300; i += 3)
			writer.deleteDocuments(term(first[i]));
		for (int i = 1; i < 300; i += 3)
			writer.softUpdateDocument(term(first[i]),
					document("a-" + i, null, "{\"again\":" + i + "}"),
					new NumericDocValuesField("__soft_deletes", 1));
		writer.commit();
		writer.addDocument(document("last", null, "{\"last\":true}"));
		writer.commit();
	}

	static void read(FSDirectory directory, Path expected) throws IOException {
		try (DirectoryReader all = DirectoryReader.open(directory);
				IndexReader reader = new SoftDeletesDirectoryReaderWrapper(all, "__soft_deletes");
				PrintWriter out = new PrintWriter(Files.newBufferedWriter(expected))) {
			for (LeafReaderContext leaf : reader.leaves()) {
				for (int i = 0; i < leaf.reader().maxDoc(); i++) {
					if (leaf.reader().getLiveDocs() != null && !leaf.reader().getLiveDocs().get(i))
						continue;
					Document document = leaf.reader().storedFields().document(i);
					BytesRef id = document.getBinaryValue("_id");
					if (id == null)
						continue;
					String routing = document.get("_routing");
					out.println("{\"_id\":\"" + new BytesRef(id.bytes, id.offset + 1, id.length - 1)
							.utf8ToString() + "\""
							+ (routing == null ? "" : ",\"_routing\":\"" + routing + "\"")
							+ ",\"_source\":" + document.getBinaryValue("_source").utf8ToString() + "}");
				}
			}
		}
	}

	public static void main(String[] args) throws IOException {
		Path folder = Path.of(args[0]);
		IndexWriterConfig config = new IndexWriterConfig(null);
		config.setCodec(args[1].equals("ZSTD") ? new WithDictionary() : new WithoutDictionary());
		config.setSoftDeletesField("__soft_deletes");
		config.setMergePolicy(NoMergePolicy.INSTANCE);
		config.setUseCompoundFile(args[2].equals("compound"));
		try (FSDirectory directory = FSDirectory.open(folder.resolve("index"))) {
			try (IndexWriter writer = new IndexWriter(directory, config)) {
				write(writer);
			}
			read(directory, folder.resolve("expected.ndjson"));
		}
	}
}
