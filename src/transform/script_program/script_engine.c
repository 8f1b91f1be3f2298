#include "transform/script_program/script_engine.h"

#include "transform/script_program/prelude.h"
#include "transform/script_program/text16.h"

#include <JavaScriptCore/JavaScript.h>
#include <stdlib.h>

struct script_engine {
	JSGlobalContextRef messages; /* the realm of the prelude and of all messages */
	JSGlobalContextRef script;   /* the realm of the script */
	JSObjectRef describe, run, settled, start;
	void (*log)(void *user, struct str line);
	void *user;
	struct buf line, units;
};

#define SCRIPT_LINE_MAX KIB(64)
/* Bytes of room that are kept from one message to the next, at most. */
#define MESSAGE_UNITS_KEPT MIB(1)

static void release_string(JSStringRef *string)
{
	if (*string)
		JSStringRelease(*string);
}

static JSStringRef string_of(struct str text)
{
	uint16_t *units = mem_alloc(MAX(text.len, (size_t)1) * sizeof(*units));
	JSStringRef string = JSStringCreateWithCharacters(units, text16_from_utf8(text, units));

	free(units);
	return string;
}

static void append_string(struct buf *out, JSStringRef string)
{
	text16_to_utf8(out, JSStringGetCharactersPtr(string), JSStringGetLength(string));
}

static void append_value(JSContextRef context, struct buf *out, JSValueRef value)
{
	cleanup(release_string) JSStringRef string = JSValueToStringCopy(context, value, NULL);

	if (string)
		append_string(out, string);
}

static JSObjectRef member(JSContextRef context, JSObjectRef object, const char *name)
{
	cleanup(release_string) JSStringRef key = JSStringCreateWithUTF8CString(name);
	JSValueRef value = JSObjectGetProperty(context, object, key, NULL);

	if (!value || !JSValueIsObject(context, value))
		BUG("the prelude lacks a function");
	JSValueProtect(context, value);
	return (JSObjectRef)(uintptr_t)value;
}

static JSValueRef log_called(JSContextRef context, JSObjectRef function, JSObjectRef self,
			     size_t count, const JSValueRef values[], JSValueRef *exception)
{
	struct script_engine *engine = JSObjectGetPrivate(function);

	(void)self;
	(void)exception;
	buf_reset(&engine->line);
	engine->line.failed = false;
	if (count > 0)
		append_value(context, &engine->line, values[0]);
	if (engine->line.failed)
		engine->log(engine->user, STR("(a line that is too long to show)"));
	else
		engine->log(engine->user, buf_str(&engine->line));
	return JSValueMakeUndefined(context);
}

/* A function that knows its engine, which those of JSObjectMakeFunctionWithCallback do not. */
static JSObjectRef log_function(struct script_engine *engine)
{
	JSClassDefinition definition = kJSClassDefinitionEmpty;
	JSClassRef class;
	JSObjectRef function;

	definition.callAsFunction = log_called;
	class = JSClassCreate(&definition);
	function = JSObjectMake(engine->messages, class, engine);
	JSClassRelease(class);
	return function;
}

static void load_prelude(struct script_engine *engine, struct str name)
{
	cleanup(release_string) JSStringRef text = string_of(str_of(prelude_js, prelude_js_size));
	cleanup(release_string) JSStringRef script_name = string_of(name);
	JSContextRef context = engine->messages;
	JSValueRef exception = NULL, made;
	JSValueRef arguments[3];
	JSObjectRef functions;

	made = JSEvaluateScript(context, text, NULL, NULL, 1, &exception);
	if (!made)
		BUG("the prelude is no JavaScript");
	arguments[0] = JSContextGetGlobalObject(engine->script);
	arguments[1] = log_function(engine);
	arguments[2] = JSValueMakeString(context, script_name);
	made = JSObjectCallAsFunction(context, (JSObjectRef)(uintptr_t)made, NULL, 3, arguments,
				      &exception);
	if (!made)
		BUG("the prelude fails");
	functions = (JSObjectRef)(uintptr_t)made;
	engine->describe = member(context, functions, "describe");
	engine->run = member(context, functions, "run");
	engine->settled = member(context, functions, "settled");
	engine->start = member(context, functions, "start");
}

struct script_engine *script_engine_new(struct str name, void (*log)(void *user, struct str line),
					void *user)
{
	struct script_engine *engine = mem_zalloc(sizeof(*engine));
	JSContextGroupRef group = JSContextGroupCreate();

	engine->messages = JSGlobalContextCreateInGroup(group, NULL);
	engine->script = JSGlobalContextCreateInGroup(group, NULL);
	JSContextGroupRelease(group);
	engine->log = log;
	engine->user = user;
	engine->line = BUF_INIT(SCRIPT_LINE_MAX);
	engine->units = BUF_INIT(MESSAGE_UNITS_KEPT);
	load_prelude(engine, name);
	return engine;
}

void script_engine_free(struct script_engine *engine)
{
	JSGlobalContextRelease(engine->script);
	JSGlobalContextRelease(engine->messages);
	buf_release(&engine->line);
	buf_release(&engine->units);
	free(engine);
}

/* With room that is kept. */
static JSStringRef message_string(struct script_engine *engine, struct str message)
{
	uint16_t *units;

	buf_reset(&engine->units);
	engine->units.failed = false;
	units = (uint16_t *)(void *)buf_reserve(&engine->units, message.len * sizeof(*units));
	return units ? JSStringCreateWithCharacters(units, text16_from_utf8(message, units))
		     : string_of(message);
}

static bool failed(struct script_engine *engine, JSValueRef exception, struct buf *out)
{
	JSValueRef text = JSObjectCallAsFunction(engine->messages, engine->describe, NULL, 1,
						 &exception, NULL);

	buf_reset(out);
	out->failed = false;
	if (text)
		append_value(engine->messages, out, text);
	if (!text || out->failed) {
		buf_reset(out);
		out->failed = false;
		buf_append_str(out, STR("an error that cannot be shown was thrown"));
	}
	return false;
}

/* Calls, and when a promise came back asks for what it settled to: its jobs have run by then, as
 * the engine runs them whenever the outermost call returns. */
static bool call(struct script_engine *engine, JSObjectRef function, size_t count,
		 const JSValueRef *arguments, struct buf *out)
{
	JSContextRef context = engine->messages;
	JSValueRef exception = NULL;
	JSValueRef value =
		JSObjectCallAsFunction(context, function, NULL, count, arguments, &exception);

	if (!exception && JSValueIsUndefined(context, value))
		value = JSObjectCallAsFunction(context, engine->settled, NULL, 0, NULL, &exception);
	if (exception)
		return failed(engine, exception, out);
	append_value(context, out, value);
	if (!out->failed)
		return true;
	buf_reset(out);
	out->failed = false;
	buf_append_str(out, STR("what the script returned is too large"));
	return false;
}

/* The script's last value, or else what it calls main. */
static JSValueRef evaluate(struct script_engine *engine, struct str script, struct str name,
			   JSValueRef *exception)
{
	cleanup(release_string) JSStringRef text = string_of(script);
	cleanup(release_string) JSStringRef source_url = string_of(name);
	cleanup(release_string) JSStringRef look =
		string_of(STR("typeof main === 'function' ? main : undefined"));
	JSContextRef context = engine->script;
	JSValueRef value = JSEvaluateScript(context, text, NULL, source_url, 1, exception);
	JSValueRef main;

	if (*exception || (JSValueIsObject(context, value) &&
			   JSObjectIsFunction(context, (JSObjectRef)(uintptr_t)value)))
		return value;
	main = JSEvaluateScript(context, look, NULL, NULL, 1, exception);
	return *exception || JSValueIsUndefined(context, main) ? value : main;
}

bool script_engine_start(struct script_engine *engine, struct str name, struct str script,
			 struct str options, struct buf *out)
{
	cleanup(release_string) JSStringRef text = string_of(options);
	JSValueRef exception = NULL, arguments[2];

	arguments[0] = evaluate(engine, script, name, &exception);
	if (exception)
		return failed(engine, exception, out);
	arguments[1] = JSValueMakeString(engine->messages, text);
	return call(engine, engine->start, 2, arguments, out);
}

bool script_engine_run(struct script_engine *engine, struct str message, struct buf *out)
{
	cleanup(release_string) JSStringRef text = message_string(engine, message);
	JSValueRef argument = JSValueMakeString(engine->messages, text);

	return call(engine, engine->run, 1, &argument, out);
}
