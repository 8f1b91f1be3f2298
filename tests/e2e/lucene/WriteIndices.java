/* Writes Lucene indices the way Elasticsearch does, and beside each what Lucene reads out of it.
 *
 *   java WriteIndices OUT [OLDER]
 *   java WriteIndices OUT --numbers
 *   java WriteIndices OUT --columns | --columns-best [DOCUMENTS]
 *   java WriteIndices OUT --points | --terms [DOCUMENTS]
 *
 * OUT gets a folder for each shape of index: compound files or not, either compression, merged by
 * force or not; and "small", a handful of documents. OLDER is one of these folders, made by an older
 * version: OUT/upgraded is a copy of it that this version went on writing. Each folder gets a file
 * expected.ndjson beside its index: a line for each document with an id, in the order of the
 * segments, as `inspect lucene --all` prints it. With --numbers OUT itself is an index of many numeric
 * doc values, and FIELD.ndjson beside it has what `inspect lucene --numbers FIELD` prints. With
 * --columns it is one of doc values of all kinds, and columns.ndjson has what `inspect lucene
 * --columns` prints; --columns-best: by the codec in its other mode. With DOCUMENTS there is one
 * segment of so many. With --points it is one of points of several kinds, and FIELD.ndjson has what
 * `inspect lucene --indexed FIELD` prints; with --terms the same of terms, with and without positions.
 *
 * One source for Lucene 4.0 to 10: what not all of them have is called by reflection. */
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Reader;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.codecs.Codec;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LogDocMergePolicy;
import org.apache.lucene.index.MergePolicy;
import org.apache.lucene.index.NoMergePolicy;
import org.apache.lucene.index.Term;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.NIOFSDirectory;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.BytesRef;

public class WriteIndices {
	static final String SOFT = "__soft_deletes";
	static final int BIG = 500_000;
	static final Random random = new Random(4);
	static boolean softDeletes, binaryIds, updates;
	static int serial;

	/* ---- what differs between the versions ---- */

	static Method method(Class<?> type, String name, Class<?>... arguments) {
		try {
			Method method = type.getMethod(name, arguments);
			method.setAccessible(true);
			return method;
		} catch (NoSuchMethodException e) {
			return null;
		}
	}

	static Method methodNamed(Class<?> type, String name) {
		for (Method method : type.getMethods())
			if (method.getName().equals(name))
				return method;
		return null;
	}

	static Object constant(Class<?> type, String name) throws Exception {
		try {
			return type.getField(name).get(null);
		} catch (NoSuchFieldException e) {
			return null;
		}
	}

	/* Nothing is analysed, but before Lucene 5 a writer wants an analyzer. */
	static class NoAnalyzer extends Analyzer {
		protected TokenStreamComponents createComponents(String field, Reader reader) {
			return null;
		}

		protected TokenStreamComponents createComponents(String field) {
			return null;
		}
	}

	static Directory open(Path path) throws Exception {
		for (Constructor<?> constructor : NIOFSDirectory.class.getConstructors()) {
			Class<?>[] types = constructor.getParameterTypes();
			if (types.length == 1)
				return (Directory) constructor.newInstance(
					types[0] == File.class ? path.toFile() : path);
		}
		for (Constructor<?> constructor : NIOFSDirectory.class.getConstructors())
			if (constructor.getParameterTypes()[0] == File.class)
				return (Directory) constructor.newInstance(path.toFile(), null);
		throw new AssertionError("no way to open a directory");
	}

	static IndexWriterConfig emptyConfig() throws Exception {
		for (Constructor<?> constructor : IndexWriterConfig.class.getConstructors()) {
			Class<?>[] types = constructor.getParameterTypes();
			if (types.length == 1)
				return (IndexWriterConfig) constructor.newInstance(new NoAnalyzer());
			if (types.length == 2)
				return (IndexWriterConfig) constructor.newInstance(
					constant(types[0], "LUCENE_CURRENT"), new NoAnalyzer());
		}
		throw new AssertionError("no way to make a configuration");
	}

	static MergePolicy noMerges(boolean compound) throws Exception {
		Object policy = constant(NoMergePolicy.class, "INSTANCE");
		if (policy == null)
			policy = constant(NoMergePolicy.class,
				compound ? "COMPOUND_FILES" : "NO_COMPOUND_FILES");
		return (MergePolicy) policy;
	}

	static MergePolicy merges(boolean compound) throws Exception {
		LogDocMergePolicy policy = new LogDocMergePolicy();
		Method use = method(LogDocMergePolicy.class, "setUseCompoundFile", boolean.class);
		if (use != null)
			use.invoke(policy, compound);
		policy.setNoCFSRatio(compound ? 1.0 : 0.0);
		return policy;
	}

	/* The default codec in its other mode; null where it has none. */
	static Codec best() throws Exception {
		for (Constructor<?> constructor : Codec.getDefault().getClass().getConstructors()) {
			Class<?>[] types = constructor.getParameterTypes();
			if (types.length == 1 && types[0].isEnum())
				for (Object mode : types[0].getEnumConstants())
					if (mode.toString().equals("BEST_COMPRESSION"))
						return (Codec) constructor.newInstance(mode);
		}
		return null;
	}

	static IndexWriter writer(Directory directory, Shape shape, boolean merge) throws Exception {
		IndexWriterConfig config = emptyConfig();
		Method use = method(IndexWriterConfig.class, "setUseCompoundFile", boolean.class);

		config.setRAMBufferSizeMB(256);
		config.setMergePolicy(merge ? merges(shape.compound) : noMerges(shape.compound));
		if (use != null)
			use.invoke(config, shape.compound);
		if (shape.best)
			config.setCodec(best());
		if (softDeletes)
			method(IndexWriterConfig.class, "setSoftDeletesField", String.class)
				.invoke(config, SOFT);
		return new IndexWriter(directory, config);
	}

	static Field numericDocValues(String name, long value) throws Exception {
		return (Field) Class.forName("org.apache.lucene.document.NumericDocValuesField")
			.getConstructor(String.class, long.class).newInstance(name, value);
	}

	/* ---- documents ---- */

	/* The four ways in which Elasticsearch 6 and later write an _id. */
	static byte[] encodeId(String id) {
		if (id.matches("[0-9]+")) {
			byte[] bytes = new byte[1 + (id.length() + 1) / 2];
			bytes[0] = (byte) 0xfe;
			for (int i = 0; i < id.length(); i += 2) {
				int low = i + 1 < id.length() ? id.charAt(i + 1) - '0' : 0xf;
				bytes[1 + i / 2] = (byte) ((id.charAt(i) - '0') << 4 | low);
			}
			return bytes;
		}
		byte[] prefix = {(byte) 0xff}, rest = id.getBytes(StandardCharsets.UTF_8);
		if (id.matches("[A-Za-z0-9_-]+") && id.length() % 4 == 0) {
			rest = Base64.getUrlDecoder().decode(id);
			prefix = (rest[0] & 0xff) < 0xfd ? new byte[0] : new byte[] {(byte) 0xfd};
		}
		byte[] bytes = Arrays.copyOf(prefix, prefix.length + rest.length);
		System.arraycopy(rest, 0, bytes, prefix.length, rest.length);
		return bytes;
	}

	static String decodeId(BytesRef stored) {
		byte[] bytes = Arrays.copyOfRange(stored.bytes, stored.offset,
			stored.offset + stored.length);
		byte[] rest = Arrays.copyOfRange(bytes, 1, bytes.length);
		StringBuilder digits = new StringBuilder();
		switch (bytes[0] & 0xff) {
		case 0xff:
			return new String(rest, StandardCharsets.UTF_8);
		case 0xfe:
			for (byte pair : rest)
				digits.append(String.format("%02x", pair));
			return digits.toString().replace("f", "");
		case 0xfd:
			return Base64.getUrlEncoder().withoutPadding().encodeToString(rest);
		default:
			return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
		}
	}

	static String idOf(int i) {
		switch (i % 5) {
		case 0:
			return String.valueOf(i * 37L);
		case 1:
			return String.format("a%07d", i);
		case 2:
			return String.format("__%06d", i);
		case 3:
			return "# \u00fc/" + i;
		default:
			return String.format("%-20s.", i).replace(' ', 'x');
		}
	}

	static byte[] sourceOf(int i, int size) {
		StringBuilder text = new StringBuilder("{\"n\":" + i + ",\"price\":" + i + ".50,\"text\":\"");
		String word = "document number " + i + " ";

		while (text.length() < size)
			if (i % 2 == 0)
				text.append(word);
			else
				text.append(Long.toHexString(random.nextLong()));
		return text.append("\"}").toString().getBytes(StandardCharsets.UTF_8);
	}

	static Field idField(int i) {
		String id = idOf(i), type = i % 3 == 0 ? "book" : "author";
		if (!binaryIds)
			return new StringField("_uid", type + "#" + id, Field.Store.YES);
		FieldType indexed = new FieldType(StringField.TYPE_STORED);
		return new Field("_id", new BytesRef(encodeId(id)), indexed);
	}

	/* Every kind of number, as a chunk of Lucene 5 and later compresses each in its own way. */
	static void addNumbers(Document document, int i) {
		document.add(new StoredField("int", i % 2 == 0 ? i : -i * 1000));
		document.add(new StoredField("long", i % 4 == 0 ? i * 86_400_000L : Long.MIN_VALUE + i));
		document.add(new StoredField("float", i % 2 == 0 ? (float) i : -i / 3f));
		document.add(new StoredField("double", i % 3 == 0 ? i : i / 7.0));
	}

	static Document document(int i, int size) throws Exception {
		Document document = new Document();

		if (!binaryIds && i % 2 == 0)
			document.add(new StoredField("_source", sourceOf(i, size)));
		document.add(idField(i));
		if (i % 4 == 1)
			document.add(new StringField("_routing", "r" + i, Field.Store.YES));
		if (!binaryIds && i % 4 < 2)
			document.add(new StringField("_parent", "author#p" + i, Field.Store.YES));
		if (i % 7 == 0)
			addNumbers(document, i);
		if (binaryIds || i % 2 != 0)
			document.add(new StoredField("_source", sourceOf(i, size)));
		if (updates)
			document.add(numericDocValues("rank", i));
		document.add(new StringField("group", "g" + i % 30, Field.Store.NO));
		document.add(new StringField("number", "n" + i, Field.Store.NO));
		return document;
	}

	/* A child of a nested document has no id of its own. */
	static Document child(int i) throws Exception {
		Document document = new Document();
		document.add(new StringField("path", "child", Field.Store.NO));
		document.add(new StoredField("extra", "child " + i));
		return document;
	}

	/* Soft-deleted at birth, without a source. */
	static Document tombstone(int i) throws Exception {
		Document document = new Document();
		document.add(idField(i));
		document.add(numericDocValues(SOFT, 1));
		return document;
	}

	/* ---- indices ---- */

	static class Shape {
		final String name;
		final boolean compound, best, merged;

		Shape(String name, boolean compound, boolean best, boolean merged) {
			this.name = name;
			this.compound = compound;
			this.best = best;
			this.merged = merged;
		}
	}

	static void add(IndexWriter writer, int count, int size, boolean children) throws Exception {
		for (int end = serial + count; serial < end; serial++) {
			if (children && serial % 3 == 0)
				writer.addDocument(child(serial));
			writer.addDocument(document(serial, size));
		}
	}

	/* Segments of different make: small documents, thousands of tiny ones with few deletes and so
	 * sparse ones, documents of 500 kB alone and among others, one document, and a few behind
	 * hundreds of children. */
	static void addSegments(IndexWriter writer) throws Exception {
		add(writer, 200, 100, false);
		writer.commit();
		add(writer, 2500, 0, false);
		writer.commit();
		add(writer, 33, 3000, true);
		add(writer, 2, BIG, false);
		add(writer, 30, 500, true);
		add(writer, 1, 2 * BIG, false);
		writer.commit();
		add(writer, 1, 200, false);
		writer.commit();
		if (softDeletes)
			for (int i = 0; i < 5; i++)
				writer.addDocument(tombstone(i));
		for (int i = 0; i < 300; i++)
			writer.addDocument(child(i));
		add(writer, 3, 10, false);
		writer.commit();
	}

	static void softDelete(IndexWriter writer, Term term) throws Exception {
		if (softDeletes)
			method(IndexWriter.class, "updateDocValues", Term.class, Field[].class)
				.invoke(writer, term, new Field[] {numericDocValues(SOFT, 1)});
	}

	static void updateRank(IndexWriter writer, Term term) throws Exception {
		Method update = methodNamed(IndexWriter.class, "updateNumericDocValue");
		if (updates)
			update.invoke(writer, term, "rank", 77L);
	}

	/* Groups are of every thirtieth document; 3 is soft-deleted and 4 by both ways. */
	static void delete(IndexWriter writer, int first) throws Exception {
		softDelete(writer, new Term("group", "g3"));
		softDelete(writer, new Term("group", "g4"));
		writer.commit();
		if (first == 0) {
			writer.deleteDocuments(new Term("group", "g4"));
			writer.deleteDocuments(new Term("group", "g5"));
			writer.deleteDocuments(new Term("number", "n1000"));
		}
		updateRank(writer, new Term("group", "g6"));
		writer.commit();
		/* A second generation of everything. */
		writer.deleteDocuments(new Term("number", "n" + (first + 2)));
		writer.deleteDocuments(new Term("number", "n" + (first + 1200)));
		updateRank(writer, new Term("group", "g7"));
		softDelete(writer, new Term("number", "n" + (first + 8)));
		writer.commit();
	}

	/* Few deletes first and only then the groups, so that the segment of thousands is sparse. */
	static void write(Path path, Shape shape) throws Exception {
		Files.createDirectories(path);
		serial = 0;
		try (Directory directory = open(path)) {
			try (IndexWriter writer = writer(directory, shape, false)) {
				addSegments(writer);
				writer.deleteDocuments(new Term("number", "n300"));
				writer.deleteDocuments(new Term("number", "n2400"));
				writer.commit();
				if (!shape.merged)
					delete(writer, 0);
			}
			if (shape.merged) {
				try (IndexWriter writer = writer(directory, shape, true)) {
					writer.forceMerge(1);
					writer.commit();
					writer.deleteDocuments(new Term("number", "n2401"));
				}
			}
			describe(directory, path);
		}
	}

	/* A handful of documents in a compound segment and a plain one, with deletes and an update: small
	 * enough to be kept as a fixture. */
	static void writeSmall(Path path) throws Exception {
		Files.createDirectories(path);
		serial = 0;
		try (Directory directory = open(path)) {
			try (IndexWriter writer = writer(directory, new Shape("", true, false, false), false)) {
				add(writer, 10, 30, false);
				writer.commit();
				writer.deleteDocuments(new Term("number", "n3"));
				writer.deleteDocuments(new Term("number", "n8"));
				updateRank(writer, new Term("number", "n5"));
			}
			try (IndexWriter writer = writer(directory, new Shape("", false, false, false), false)) {
				writer.addDocument(child(10));
				add(writer, 3, 0, false);
			}
			describe(directory, path);
		}
	}

	/* Goes on with a copy of an older version's index: new segments beside old ones, and deletes and
	 * updates in both. */
	static void upgrade(Path older, Path path) throws Exception {
		Shape shape = new Shape("upgraded", true, false, false);
		Files.createDirectories(path);
		try (Stream<Path> files = Files.list(older)) {
			for (Path file : files.collect(Collectors.toList()))
				if (!file.getFileName().toString().matches("expected.*|write.lock"))
					Files.copy(file, path.resolve(file.getFileName()));
		}
		serial = 10_000;
		try (Directory directory = open(path)) {
			try (IndexWriter writer = writer(directory, shape, false)) {
				add(writer, 60, 300, false);
				writer.commit();
				writer.deleteDocuments(new Term("group", "g10"));
				writer.deleteDocuments(new Term("number", "n500"));
				writer.commit();
				/* Lucene 4.6 reads doc values of 4.1 and cannot write them. */
				updateRank(writer, new Term("number", "n10007"));
				writer.commit();
			}
			describe(directory, path);
		}
	}

	/* ---- what Lucene reads ---- */

	static Document read(IndexReader leaf, int doc) throws Exception {
		Method fields = method(IndexReader.class, "storedFields");
		if (fields == null)
			return (Document) method(IndexReader.class, "document", int.class).invoke(leaf, doc);
		Object stored = fields.invoke(leaf);
		return (Document) method(stored.getClass(), "document", int.class).invoke(stored, doc);
	}

	/* By hand: Lucene's own wrapper leaves out segments without live documents. */
	static boolean[] softDeleted(IndexReader leaf) throws Exception {
		boolean[] dead = new boolean[leaf.maxDoc()];
		Method get = method(leaf.getClass(), "getNumericDocValues", String.class);
		Object values = get == null || !binaryIds ? null : get.invoke(leaf, SOFT);
		if (values == null)
			return dead;
		Method next = method(values.getClass(), "nextDoc");
		for (int doc = (int) next.invoke(values); doc < dead.length; doc = (int) next.invoke(values))
			dead[doc] = true;
		return dead;
	}

	static String quote(String text) {
		return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
	}

	static void line(PrintWriter out, Document document, boolean live) {
		String uid = document.get("_uid"), routing = document.get("_routing");
		String parent = document.get("_parent"), type = null, id = uid;
		BytesRef binary = document.getBinaryValue("_id"), source = document.getBinaryValue("_source");

		if (uid == null && binary == null)
			return;
		if (binary != null) {
			id = decodeId(binary);
		} else {
			type = uid.substring(0, uid.indexOf('#'));
			id = uid.substring(uid.indexOf('#') + 1);
		}
		if (parent != null)
			parent = parent.substring(parent.indexOf('#') + 1);
		out.print("{\"_id\":" + quote(id));
		if (routing != null || parent != null)
			out.print(",\"_routing\":" + quote(routing != null ? routing : parent));
		if (parent != null)
			out.print(",\"_parent\":" + quote(parent));
		if (type != null)
			out.print(",\"_type\":" + quote(type));
		out.print(",\"live\":" + live + ",\"_source\":");
		out.print(source == null ? "null" : source.utf8ToString());
		out.print("}\n");
	}

	static void describe(Directory directory, Path path) throws Exception {
		File out = path.resolve("expected.ndjson").toFile();

		try (DirectoryReader reader = DirectoryReader.open(directory);
		     PrintWriter writer = new PrintWriter(out, "UTF-8")) {
			for (Object context : (List<?>) reader.leaves()) {
				IndexReader leaf = (IndexReader) method(context.getClass(), "reader").invoke(context);
				Bits hard = (Bits) method(leaf.getClass(), "getLiveDocs").invoke(leaf);
				boolean[] soft = softDeleted(leaf);
				for (int doc = 0; doc < leaf.maxDoc(); doc++)
					line(writer, read(leaf, doc), (hard == null || hard.get(doc)) && !soft[doc]);
			}
		}
	}

	/* ---- numbers ---- */

	static final int NUMBERS = 70_000;
	static final String[] NUMBER_FIELDS = {"constant", "bit", "byte", "wide", "extreme", "times",
		"table", "blocks", "steps", "updated", "sparse", "dense", "late", "never"};

	/* The value of a document; null where it has none. A pass over 16384 documents of one range, then
	 * of another, makes blocks of different widths; 65536 are a block of those that have a value. */
	static Long number(String field, int i) {
		long hash = (i * 0x9E3779B97F4A7C15L) >>> 11;

		switch (field) {
		case "constant": return 7L;
		case "bit": return (long) (i % 2);
		case "byte": return hash % 200;
		case "wide": return hash % 1_000_000_000_007L - 500;
		case "extreme": return i % 1000 == 3 ? Long.MIN_VALUE : i % 1000 == 4 ? Long.MAX_VALUE : hash;
		case "times": return 1_600_000_000_000L + hash % 100_000 * 86_400_000L;
		case "table": return new long[] {-5, 1L << 40, 12345, 99}[(int) (hash % 4)];
		case "blocks": return i < 20_000 ? hash % 3 : i < 40_000 ? hash * 64 : 1_000_000 + hash % 5000;
		case "steps": return (long) i * 10 + 3;
		case "updated": return (long) i;
		case "sparse": return i % 37 == 5 ? hash % 1000 : null;
		case "dense": return i % 3 != 0 || i >= 65_536 ? hash % 70_000 : null;
		case "late": return i >= 66_000 ? (long) i : null;
		default: return null;
		}
	}

	static void writeNumbers(Path path) throws Exception {
		Files.createDirectories(path);
		try (Directory directory = open(path);
		     IndexWriter writer = writer(directory, new Shape("", false, false, false), false)) {
			for (int i = 0; i < NUMBERS; i++) {
				Document document = new Document();
				for (String field : NUMBER_FIELDS)
					if (number(field, i) != null)
						document.add(numericDocValues(field, number(field, i)));
				document.add(new StringField("group", "g" + i % 1000, Field.Store.NO));
				writer.addDocument(document);
			}
			writer.commit();
			if (updates)
				methodNamed(IndexWriter.class, "updateNumericDocValue")
					.invoke(writer, new Term("group", "g6"), "updated", -77L);
			writer.commit();
		}
		for (String field : NUMBER_FIELDS) {
			File out = path.resolve(field + ".ndjson").toFile();
			try (PrintWriter lines = new PrintWriter(out, "UTF-8")) {
				for (int i = 0; i < NUMBERS; i++) {
					Long value = number(field, i);
					if (updates && field.equals("updated") && i % 1000 == 6)
						value = -77L;
					if (value != null)
						lines.print("{\"doc\":" + i + ",\"value\":" + value + "}\n");
				}
			}
		}
	}

	/* ---- columns ---- */

	static final int MANY = 66_000, FEW = 300;
	static final String[] COLUMNS = {"n_constant", "n_few", "n_times", "n_updated", "m_one", "m_many",
		"m_sets", "m_few", "b_fixed", "b_any", "b_few", "b_long", "b_updated", "s_table", "s_unique",
		"s_few", "s_long", "s_one", "t_one", "t_many", "t_sets", "t_unique", "t_few"};

	static byte[] utf8(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

	static byte[] noText(int length, long seed) {
		byte[] bytes = new byte[length];
		new Random(seed).nextBytes(bytes);
		if (length > 0)
			bytes[0] = (byte) 0xff;
		return bytes;
	}

	static String repeat(String text, int times) {
		StringBuilder all = new StringBuilder();
		for (int i = 0; i < times; i++)
			all.append(text);
		return all.toString();
	}

	/* The values that a document is given, in no order and with duplicates: Long or byte[]. `m_` are
	 * sorted-numeric, `b_` binary, `s_` sorted, `t_` sorted-set. */
	static List<Object> column(String field, int i) {
		long hash = (i * 0x9E3779B97F4A7C15L) >>> 11;
		List<Object> all = new ArrayList<>();

		switch (field) {
		case "n_constant": all.add(42L); break;
		case "n_few": if (i % 150 == 7) all.add(hash - (1L << 50)); break;
		case "n_times": if (i % 3 > 0) all.add(1_600_000_000_000L + hash % 1000 * 3_600_000); break;
		case "n_updated": if (i % 2 == 0) all.add((long) i); break;
		case "m_one": if (i % 5 > 0) all.add(hash % 10_000); break;
		case "m_many":
			for (int k = 0; k < i % 4; k++)
				all.add((hash >> k) % 100 == 3 ? Long.MIN_VALUE + k : (hash >> k * 3) % 7 - 3);
			break;
		case "m_sets":
			for (int k = 0; k < hash % 3; k++)
				all.add(hash / 3 % 2 * 1000 + k);
			break;
		case "m_few": if (i % 500 == 1) { all.add(hash); all.add(hash); all.add(-1L); } break;
		case "b_fixed": all.add(noText(4, i)); break;
		case "b_any": if (i % 7 > 0) all.add(noText((int) (hash % 40), i)); break;
		case "b_few": if (i % 300 == 2) all.add(utf8("few " + i)); break;
		case "b_long": if (i % 1000 == 503) all.add(noText(30_000 + i % 2000, i)); break;
		case "b_updated": all.add(utf8("before " + i)); break;
		case "s_table": if (i % 9 > 0) all.add(utf8("value " + hash % 3)); break;
		case "s_unique": all.add(utf8("a prefix longer than fifteen bytes " + (i * 7919L) % 1_000_003)); break;
		case "s_few": if (i % 400 == 5) all.add(utf8("f" + i)); break;
		case "s_long": if (i % 100 == 0) all.add(utf8(repeat("long ", 80 + i % 200) + i)); break;
		case "s_one": all.add(utf8("")); break;
		case "t_one": if (i % 4 > 0) all.add(utf8("one \u00fc " + hash % 2000)); break;
		case "t_many":
			for (int k = 0; k < i % 5; k++)
				all.add(utf8("tag" + (hash >> k * 2) % 90));
			break;
		case "t_sets":
			for (int k = 0; k < hash % 3; k++)
				all.add(utf8("set " + (k + hash / 3 % 2)));
			break;
		case "t_unique":
			all.add(utf8("x" + i));
			all.add(utf8("y" + hash % 1_000_000));
			break;
		case "t_few": if (i % 700 == 6) { all.add(utf8("b")); all.add(utf8("a" + i)); } break;
		default: throw new AssertionError(field);
		}
		return all;
	}

	static String kind(String field) {
		switch (field.charAt(0)) {
		case 'n': return "Numeric";
		case 'm': return "SortedNumeric";
		case 'b': return "Binary";
		case 's': return "Sorted";
		default: return "SortedSet";
		}
	}

	/* Null where this Lucene has no such kind. From 10 on some fields have a skip index. */
	static Field columnField(String field, Object value) throws Exception {
		Class<?> type;
		try {
			type = Class.forName("org.apache.lucene.document." + kind(field) + "DocValuesField");
		} catch (ClassNotFoundException e) {
			return null;
		}
		Object argument = value instanceof Long ? value : new BytesRef((byte[]) value);
		Class<?> taken = value instanceof Long ? long.class : BytesRef.class;
		Method indexed = method(type, "indexedField", String.class, taken);
		if (indexed != null && field.endsWith("_one"))
			return (Field) indexed.invoke(null, field, argument);
		return (Field) type.getConstructor(String.class, taken).newInstance(field, argument);
	}

	static void addColumns(IndexWriter writer, int from, int to) throws Exception {
		for (int i = from; i < to; i++) {
			Document document = new Document();
			for (String field : COLUMNS)
				for (Object value : column(field, i)) {
					Field one = columnField(field, value);
					if (one != null)
						document.add(one);
				}
			document.add(new StringField("group", "g" + i % 1000, Field.Store.NO));
			writer.addDocument(document);
		}
		writer.commit();
	}

	static Method updateBinary() {
		return method(IndexWriter.class, "updateBinaryDocValue", Term.class, String.class,
			BytesRef.class);
	}

	static String text(Object value) {
		if (value instanceof Long)
			return value.toString();
		byte[] bytes = (byte[]) value;
		if (bytes.length == 0 || bytes[0] != (byte) 0xff)
			return quote(new String(bytes, StandardCharsets.UTF_8));
		StringBuilder hex = new StringBuilder("{\"hex\":\"");
		for (byte b : bytes)
			hex.append(Character.forDigit(b >> 4 & 15, 16)).append(Character.forDigit(b & 15, 16));
		return hex.append("\"}").toString();
	}

	@SuppressWarnings({"unchecked", "rawtypes"})
	static String valuesOf(String field, int i) throws Exception {
		List<Object> all = column(field, i);
		if (all.isEmpty() || columnField(field, all.get(0)) == null)
			return null;
		if (updates && field.equals("n_updated") && i % 1000 == 6)
			all = Arrays.asList((Object) (-77L));
		if (updateBinary() != null && field.equals("b_updated") && i % 1000 == 6)
			all = Arrays.asList((Object) utf8("after"));
		if (field.startsWith("m_"))
			((List) all).sort(null);
		List<String> texts = all.stream().map(WriteIndices::text).collect(Collectors.toList());
		if (field.startsWith("t_"))
			texts = texts.stream().distinct().sorted().collect(Collectors.toList());
		return quote(field) + ":[" + String.join(",", texts) + "]";
	}

	/* A segment of more documents than a block of a set has, and one of few in a compound file. */
	static void writeColumns(Path path, boolean best, int many, int few) throws Exception {
		Files.createDirectories(path);
		try (Directory directory = open(path)) {
			try (IndexWriter writer = writer(directory, new Shape("", false, best, false), false)) {
				addColumns(writer, 0, many);
			}
			try (IndexWriter writer = writer(directory, new Shape("", true, best, false), false)) {
				addColumns(writer, many, many + few);
				Term term = new Term("group", "g6");
				if (updates)
					methodNamed(IndexWriter.class, "updateNumericDocValue")
						.invoke(writer, term, "n_updated", -77L);
				if (updateBinary() != null)
					updateBinary().invoke(writer, term, "b_updated", new BytesRef("after"));
				writer.commit();
			}
		}
		File out = path.resolve("columns.ndjson").toFile();
		try (PrintWriter lines = new PrintWriter(out, "UTF-8")) {
			for (int i = 0; i < many + few; i++) {
				List<String> fields = new ArrayList<>();
				for (String field : COLUMNS)
					if (valuesOf(field, i) != null)
						fields.add(valuesOf(field, i));
				lines.print("{\"doc\":" + i + ",\"values\":{" + String.join(",", fields) + "}}\n");
			}
		}
	}

	/* ---- points ---- */

	static final String[] POINTS = {"p_same", "p_few", "p_wide", "p_many", "p_rare", "p_two", "p_address",
		"p_runs", "p_seven"};

	/* Of a document: the values of each dimension, as bytes whose order is that of the values. */
	static List<byte[][]> points(String field, int i) {
		long hash = (i * 0x9E3779B97F4A7C15L) >>> 11;
		List<byte[][]> all = new ArrayList<>();

		switch (field) {
		case "p_same": all.add(dimensions(4, 7)); break;
		case "p_few": all.add(dimensions(8, hash % 5)); break;
		case "p_wide": if (i % 3 > 0) all.add(dimensions(8, hash * 977)); break;
		case "p_many":
			for (int k = 0; k < i % 4; k++)
				all.add(dimensions(4, (hash >> k * 5) % 700));
			break;
		case "p_rare": if (i % 300 == 7) all.add(dimensions(8, hash)); break;
		case "p_two": if (i % 2 == 0) all.add(dimensions(4, hash % 1000, hash >> 9 & 0xfffff)); break;
		case "p_address": all.add(dimensions(16, hash % 3000)); break;
		case "p_runs": all.add(dimensions(2, i / 40)); break;
		case "p_seven": if (i % 5 == 0) all.add(dimensions(4, 1, hash % 3, 3, 4, hash % 9000, 6, i)); break;
		default: throw new AssertionError(field);
		}
		return all;
	}

	static byte[][] dimensions(int bytes, long... values) {
		byte[][] all = new byte[values.length][bytes];
		for (int d = 0; d < values.length; d++)
			for (int k = 0; k < Math.min(bytes, 8); k++)
				all[d][bytes - 1 - k] = (byte) (values[d] >> 8 * k);
		return all;
	}

	static Field point(String field, byte[][] value) throws Exception {
		return (Field) Class.forName("org.apache.lucene.document.BinaryPoint")
			.getConstructor(String.class, byte[][].class).newInstance(field, value);
	}

	static String hex(byte[][] value) {
		StringBuilder hex = new StringBuilder();
		for (byte[] dimension : value)
			for (byte b : dimension)
				hex.append(Character.forDigit(b >> 4 & 15, 16)).append(Character.forDigit(b & 15, 16));
		return hex.toString();
	}

	static void addPoints(IndexWriter writer, int from, int to) throws Exception {
		for (int i = from; i < to; i++) {
			Document document = new Document();
			for (String field : POINTS)
				for (byte[][] value : points(field, i))
					document.add(point(field, value));
			writer.addDocument(document);
		}
	}

	/* Some of them merged, as merging writes leaves in another way; some in a compound file. */
	static void writePoints(Path path, int many, int few) throws Exception {
		Files.createDirectories(path);
		try (Directory directory = open(path)) {
			try (IndexWriter writer = writer(directory, new Shape("", false, false, true), true)) {
				addPoints(writer, 0, many / 3);
				writer.commit();
				addPoints(writer, many / 3, many);
				writer.commit();
				writer.forceMerge(1);
			}
			try (IndexWriter writer = writer(directory, new Shape("", true, false, false), false)) {
				addPoints(writer, many, many + few);
			}
		}
		for (String field : POINTS) {
			File out = path.resolve(field + ".ndjson").toFile();
			try (PrintWriter lines = new PrintWriter(out, "UTF-8")) {
				for (int i = 0; i < many + few; i++) {
					List<String> values = points(field, i).stream().map(WriteIndices::hex).sorted()
						.collect(Collectors.toList());
					if (!values.isEmpty())
						lines.print("{\"doc\":" + i + ",\"values\":[\"" +
							String.join("\",\"", values) + "\"]}\n");
				}
			}
		}
	}

	/* ---- terms ---- */

	static final String[] TERMS = {"k_same", "k_flag", "k_few", "k_many", "k_unique", "k_long", "k_rare",
		"k_bytes", "k_dense", "x_freqs", "x_text", "x_offsets", "x_payloads"};

	/* A token: where it is, and its bytes. */
	static class Token {
		final int position;
		final byte[] bytes;

		Token(int position, byte[] bytes) {
			this.position = position;
			this.bytes = bytes;
		}
	}

	/* `k_` are values without positions, `x_` texts. */
	static List<Token> tokens(String field, int i) {
		long hash = (i * 0x9E3779B97F4A7C15L) >>> 11;
		List<Token> all = new ArrayList<>();

		switch (field) {
		case "k_same": all.add(new Token(-1, utf8("same"))); break;
		case "k_flag": if (i % 3 > 0) all.add(new Token(-1, utf8(hash % 7 < 3 ? "T" : "F"))); break;
		case "k_few": all.add(new Token(-1, utf8("few " + hash % 9))); break;
		case "k_many":
			for (int k = 0; k < i % 4; k++)
				all.add(new Token(-1, utf8("tag" + (hash >> k * 5) % 700 + "-" + k)));
			break;
		case "k_unique": all.add(new Token(-1, utf8("unique/" + hash % 1000 + "/" + i))); break;
		case "k_long": if (i % 50 == 0) all.add(new Token(-1, utf8(repeat("Long Ones ", 20 + i % 900) + i))); break;
		case "k_rare": if (i % 300 == 7) all.add(new Token(-1, utf8(i % 600 == 7 ? "" : "r" + i))); break;
		case "k_bytes":
			byte[] bytes = noText((int) (hash % 9) + 1, hash % 4000);
			for (int k = 0; k < bytes.length && !binaryTerms(); k++)
				bytes[k] |= (byte) 0x80;
			all.add(new Token(-1, bytes));
			break;
		case "k_dense": if (i % 10 != 3) all.add(new Token(-1, utf8(i % 1000 < 990 ? "nearly all" : "some"))); break;
		default:
			Random words = new Random(i);
			int position = -1, count = i % 100 == 0 ? 400 : (int) (hash % 25);
			for (int k = 0; k < count; k++) {
				double one = words.nextDouble();
				position += position < 0 || k % 7 > 0 ? 1 : k % 3 == 0 ? 0 : 100;
				all.add(new Token(position, utf8(one < 0.2 ? "the" : "w" + (int) (one * one * 3000))));
			}
		}
		return all;
	}

	/* Begins as an analyzer's tokens do; payloads of different lengths, or none. */
	static class Tokens extends org.apache.lucene.analysis.TokenStream {
		final org.apache.lucene.analysis.tokenattributes.CharTermAttribute term =
			addAttribute(org.apache.lucene.analysis.tokenattributes.CharTermAttribute.class);
		final org.apache.lucene.analysis.tokenattributes.PositionIncrementAttribute increment =
			addAttribute(org.apache.lucene.analysis.tokenattributes.PositionIncrementAttribute.class);
		final org.apache.lucene.analysis.tokenattributes.OffsetAttribute offsets =
			addAttribute(org.apache.lucene.analysis.tokenattributes.OffsetAttribute.class);
		final org.apache.lucene.analysis.tokenattributes.PayloadAttribute payload =
			addAttribute(org.apache.lucene.analysis.tokenattributes.PayloadAttribute.class);
		final List<Token> tokens;
		final boolean payloads;
		int next, last = -1;

		Tokens(List<Token> tokens, boolean payloads) {
			this.tokens = tokens;
			this.payloads = payloads;
		}

		@Override
		public final boolean incrementToken() {
			if (next == tokens.size())
				return false;
			clearAttributes();
			Token token = tokens.get(next++);
			term.append(new String(token.bytes, StandardCharsets.UTF_8));
			increment.setPositionIncrement(token.position - last);
			offsets.setOffset(next * 4, next * 4 + next % 3);
			if (payloads && next % 5 > 0)
				payload.setPayload(new BytesRef(noText(next / 4 % 4 + 1, next)));
			last = token.position;
			return true;
		}
	}

	@SuppressWarnings({"unchecked", "rawtypes"})
	static FieldType indexed(String field) throws Exception {
		FieldType type = new FieldType(StringField.TYPE_NOT_STORED);
		Method set = methodNamed(FieldType.class, "setIndexOptions");
		String options = field.startsWith("k_") ? null : field.equals("x_freqs") ? "DOCS_AND_FREQS"
			: field.equals("x_offsets") ? "DOCS_AND_FREQS_AND_POSITIONS_AND_OFFSETS"
			: "DOCS_AND_FREQS_AND_POSITIONS";
		if (options != null) {
			type = new FieldType(org.apache.lucene.document.TextField.TYPE_NOT_STORED);
			set.invoke(type, Enum.valueOf((Class) set.getParameterTypes()[0], options));
		}
		return type;
	}

	static void addTerms(IndexWriter writer, int from, int to) throws Exception {
		for (int i = from; i < to; i++) {
			Document document = new Document();
			for (String field : TERMS) {
				List<Token> tokens = tokens(field, i);
				if (field.startsWith("x_")) {
					if (!tokens.isEmpty())
						document.add(new Field(field, new Tokens(tokens, field.equals("x_payloads")),
							indexed(field)));
					continue;
				}
				for (Token token : tokens)
					document.add(field.equals("k_bytes") && binaryTerms()
						? new Field(field, new BytesRef(token.bytes), indexed(field))
						: new Field(field, new String(token.bytes, StandardCharsets.ISO_8859_1),
							indexed(field)));
			}
			writer.addDocument(document);
		}
	}

	/* Before Lucene 6 or so a field of bytes cannot be indexed. */
	static boolean binaryTerms() {
		return binaryIds;
	}

	static String termsOf(String field, int i) {
		List<Token> all = tokens(field, i);
		all.sort((a, b) -> a.position != b.position ? a.position - b.position
			: new BytesRef(a.bytes).compareTo(new BytesRef(b.bytes)));
		boolean positions = field.startsWith("x_") && !field.equals("x_freqs");
		if (!positions)
			all.sort((a, b) -> new BytesRef(a.bytes).compareTo(new BytesRef(b.bytes)));
		Stream<String> texts = all.stream().map(token -> {
			byte[] bytes = field.equals("k_bytes") && !binaryTerms()
				? utf8(new String(token.bytes, StandardCharsets.ISO_8859_1)) : token.bytes;
			return positions ? "[" + token.position + "," + text(bytes) + "]" : text(bytes);
		});
		return (positions ? texts : texts.distinct()).collect(Collectors.joining(","));
	}

	static void writeTerms(Path path, int many, int few) throws Exception {
		Files.createDirectories(path);
		try (Directory directory = open(path)) {
			try (IndexWriter writer = writer(directory, new Shape("", false, false, true), true)) {
				addTerms(writer, 0, many / 3);
				writer.commit();
				addTerms(writer, many / 3, many);
				writer.commit();
				writer.forceMerge(1);
			}
			try (IndexWriter writer = writer(directory, new Shape("", true, false, false), false)) {
				addTerms(writer, many, many + few);
			}
		}
		for (String field : TERMS) {
			File out = path.resolve(field + ".ndjson").toFile();
			try (PrintWriter lines = new PrintWriter(out, "UTF-8")) {
				for (int i = 0; i < many + few; i++)
					if (!tokens(field, i).isEmpty())
						lines.print("{\"doc\":" + i + ",\"values\":[" + termsOf(field, i) + "]}\n");
			}
		}
	}

	public static void main(String[] arguments) throws Exception {
		Path out = Paths.get(arguments[0]);
		List<Shape> shapes = new ArrayList<>();

		softDeletes = method(IndexWriterConfig.class, "setSoftDeletesField", String.class) != null;
		updates = methodNamed(IndexWriter.class, "updateNumericDocValue") != null;
		binaryIds = method(IndexWriterConfig.class, "getIndexSort") != null;
		if (arguments.length > 1 && arguments[1].equals("--numbers")) {
			writeNumbers(out);
			return;
		}
		if (arguments.length > 1 && arguments[1].equals("--points")) {
			writePoints(out, arguments.length > 2 ? Integer.parseInt(arguments[2]) : MANY, FEW);
			return;
		}
		if (arguments.length > 1 && arguments[1].equals("--terms")) {
			writeTerms(out, arguments.length > 2 ? Integer.parseInt(arguments[2]) : MANY, FEW);
			return;
		}
		if (arguments.length > 1 && arguments[1].startsWith("--columns")) {
			boolean best = arguments[1].equals("--columns-best");
			if (arguments.length > 2)
				writeColumns(out, best, Integer.parseInt(arguments[2]), 0);
			else
				writeColumns(out, best, MANY, FEW);
			return;
		}
		shapes.add(new Shape("plain", false, false, false));
		shapes.add(new Shape("compound", true, false, false));
		shapes.add(new Shape("merged", false, false, true));
		if (best() != null) {
			shapes.add(new Shape("best", false, true, false));
			shapes.add(new Shape("best-merged", true, true, true));
		}
		for (Shape shape : shapes)
			write(out.resolve(shape.name), shape);
		writeSmall(out.resolve("small"));
		if (arguments.length > 1)
			upgrade(Paths.get(arguments[1]), out.resolve("upgraded"));
	}
}
