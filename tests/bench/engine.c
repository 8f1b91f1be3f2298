/* engine SCRIPT LINES...
 *
 * What JavaScriptCore alone needs for the sources in files of bulk lines: each is parsed, given to
 * the function `tag` of the script, and made text again. Prints the seconds of CPU, those of the
 * engine's own threads included. */
#include "base/buf.h"
#include "base/bytes_source.h"

#include <JavaScriptCore/JavaScript.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

struct engine {
	JSGlobalContextRef context;
	JSObjectRef function;
	struct buf line, out;
	size_t documents, source_bytes;
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "engine: %s: %s\n", what, why);
	exit(1);
}

static double cpu_seconds(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void read_text(const char *path, struct arena *mem, struct str *text)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct err err;

	if (file_source_open(path, &source, &err) < 0 ||
	    bytes_source_read_all(source, mem, MIB(512), text, &err) < 0)
		die(path, err.message);
}

static JSObjectRef load(JSContextRef context, const char *path)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	JSStringRef script, name = JSStringCreateWithUTF8CString("tag");
	JSValueRef function;
	struct str text;
	char *copy;

	read_text(path, &mem, &text);
	copy = str_dup(text);
	script = JSStringCreateWithUTF8CString(copy);
	if (!JSEvaluateScript(context, script, NULL, NULL, 1, NULL))
		die(path, "it is no script");
	function = JSEvaluateScript(context, name, NULL, NULL, 1, NULL);
	if (!function || !JSValueIsObject(context, function))
		die(path, "it has no function tag");
	JSValueProtect(context, function);
	JSStringRelease(script);
	JSStringRelease(name);
	free(copy);
	return (JSObjectRef)(uintptr_t)function;
}

static void run(struct engine *engine, struct str source)
{
	JSContextRef context = engine->context;
	JSStringRef text;
	JSValueRef document;
	size_t most, size;

	buf_reset(&engine->line);
	buf_append_str(&engine->line, source);
	buf_append_byte(&engine->line, '\0');
	text = JSStringCreateWithUTF8CString(engine->line.ptr);
	document = JSValueMakeFromJSONString(context, text);
	JSStringRelease(text);
	if (!document ||
	    !JSObjectCallAsFunction(context, engine->function, NULL, 1, &document, NULL))
		die("a document", "the engine does not take it");
	text = JSValueCreateJSONString(context, document, 0, NULL);
	most = JSStringGetMaximumUTF8CStringSize(text);
	buf_reset(&engine->out);
	size = JSStringGetUTF8CString(text, buf_reserve(&engine->out, most), most);
	JSStringRelease(text);
	engine->documents++;
	engine->source_bytes += source.len;
	if (size <= source.len / 2)
		die("a document", "the engine does not give it back");
}

static void run_lines(struct engine *engine, struct str lines)
{
	struct str action, source;

	while (str_split(lines, '\n', &action, &lines) && str_split(lines, '\n', &source, &lines))
		run(engine, source);
}

int main(int argc, char **argv)
{
	struct engine engine = {.line = BUF_INIT(MIB(128)), .out = BUF_INIT(MIB(512))};
	double seconds = 0, start;

	if (argc < 3)
		die("usage", "engine SCRIPT LINES...");
	engine.context = JSGlobalContextCreate(NULL);
	engine.function = load(engine.context, argv[1]);
	for (int i = 2; i < argc; i++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(512));
		struct str lines;

		read_text(argv[i], &mem, &lines);
		start = cpu_seconds();
		run_lines(&engine, lines);
		seconds += cpu_seconds() - start;
	}
	printf("{\"documents\":%zu,\"source_bytes\":%zu,\"seconds\":%.3f}\n", engine.documents,
	       engine.source_bytes, seconds);
	buf_release(&engine.line);
	buf_release(&engine.out);
	return 0;
}
