#include "transform/script_config.h"

#include "base/bytes_source.h"
#include "transform/transform_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SCRIPT_KEYS "initializationScript, initializationScriptFile, initializationResourcePath"
#define BINDING_FILES_MAX 10000

static int no_memory(const struct arena *mem, struct err *err)
{
	return arena_fail(mem, "a script and its bindings", err);
}

static int resolve(struct str path, const char *base_directory, struct arena *mem, struct str *out,
		   struct err *err)
{
	if (base_directory && !(path.len > 0 && path.ptr[0] == '/'))
		*out = arena_printf(mem, "%s/" STR_FMT, base_directory, STR_ARG(path));
	else
		*out = arena_str(mem, path);
	return out->ptr ? 0 : no_memory(mem, err);
}

static int read_file(const char *path, struct arena *mem, struct str *out, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;

	if (file_source_open(path, &source, err) < 0 ||
	    bytes_source_read_all(source, mem, LIMIT_TRANSFORM_CONFIGURATION, out, err) < 0) {
		err->kind = ERR_USAGE;
		return -ERR_USAGE;
	}
	return 0;
}

static int read_script_file(const struct json *key, const char *base_directory, struct arena *mem,
			    struct script_config *out, struct err *err)
{
	bool is_resource = str_is(key->key, "initializationResourcePath");
	struct str path;
	const char *slash;

	if (resolve(key->text, base_directory, mem, &path, err) < 0)
		return -(int)err->kind;
	if (read_file(path.ptr, mem, &out->script, err) < 0) {
		err_wrap(err, "'" STR_FMT "'", STR_ARG(key->key));
		return is_resource
			       ? err_wrap(err, "resources of the Java tool's jar are not there; "
					       "give initializationScriptFile")
			       : -(int)err->kind;
	}
	slash = strrchr(path.ptr, '/');
	out->name = str_from(slash ? slash + 1 : path.ptr);
	return 0;
}

static int read_script(const struct json *configuration, const char *base_directory,
		       struct arena *mem, struct script_config *out, struct err *err)
{
	static const char *const keys[] = {"initializationScript", "initializationScriptFile",
					   "initializationResourcePath"};
	const struct json *given = NULL;

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		const struct json *key = json_get(configuration, keys[i]);

		if (!key || key->type == JSON_NULL)
			continue;
		if (given)
			return err_set(err, ERR_USAGE,
				       "'" STR_FMT "' and '%s' are both given; give one",
				       STR_ARG(given->key), keys[i]);
		if (key->type != JSON_STRING)
			return err_set(err, ERR_USAGE, "'%s' must be a string", keys[i]);
		given = key;
	}
	if (!given)
		return err_set(err, ERR_USAGE, "one of " SCRIPT_KEYS " must be given");
	if (!str_is(given->key, keys[0]))
		return read_script_file(given, base_directory, mem, out, err);
	out->script = given->text;
	out->name = STR("script");
	return 0;
}

static int set_text(struct json *bindings, struct str key, const char *path, struct arena *mem,
		    struct err *err)
{
	struct str text;

	if (read_file(path, mem, &text, err) < 0)
		return -(int)err->kind;
	json_set(bindings, key, json_new_string(mem, text));
	return mem->failed ? no_memory(mem, err) : 0;
}

/* `entry`: a path, or {"path": …}. */
static int path_of(const struct json *entry, const char *key, const char *base_directory,
		   struct arena *mem, struct str *out, struct err *err)
{
	const struct json *path = entry->type == JSON_STRING ? entry : json_get(entry, "path");

	if (!path || path->type != JSON_STRING)
		return err_set(err, ERR_USAGE, "'%s' must give a path, or {\"path\": …}, for each",
			       key);
	return resolve(path->text, base_directory, mem, out, err);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

struct entries {
	struct dirent **all;
	int count;
};

static void entries_release(struct entries *entries)
{
	while (entries->count > 0)
		free(entries->all[--entries->count]);
	free(entries->all);
}

/* Each regular file of the directory becomes a binding of the file's name. */
static int add_directory(struct json *bindings, struct str directory, struct arena *mem,
			 struct err *err)
{
	cleanup(entries_release) struct entries entries = {0};
	struct stat is;

	entries.count = scandir(directory.ptr, &entries.all, NULL, by_name);
	if (entries.count < 0) {
		entries.count = 0;
		return err_set_errno(err, ERR_USAGE, errno, "the directory " STR_FMT,
				     STR_ARG(directory));
	}
	if (entries.count > BINDING_FILES_MAX)
		return err_set(err, ERR_USAGE, "the directory " STR_FMT " has more than %d files",
			       STR_ARG(directory), BINDING_FILES_MAX);
	for (int i = 0; i < entries.count; i++) {
		struct str name = arena_str(mem, str_from(entries.all[i]->d_name));
		struct str path = arena_printf(mem, STR_FMT "/%s", STR_ARG(directory),
					       entries.all[i]->d_name);

		if (!name.ptr || !path.ptr)
			return no_memory(mem, err);
		if (stat(path.ptr, &is) < 0 || !S_ISREG(is.st_mode))
			continue;
		if (set_text(bindings, name, path.ptr, mem, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

static int add_directories(struct json *bindings, const struct json *configuration, const char *key,
			   const char *base_directory, struct arena *mem, struct err *err)
{
	const struct json *list = json_get(configuration, key);
	struct str directory;

	if (!list || list->type == JSON_NULL)
		return 0;
	if (list->type != JSON_ARRAY)
		return err_set(err, ERR_USAGE, "'%s' must be a list of paths", key);
	json_each (entry, list) {
		if (path_of(entry, key, base_directory, mem, &directory, err) < 0)
			return -(int)err->kind;
		if (add_directory(bindings, directory, mem, err) < 0)
			return err_wrap(err, "'%s'", key);
	}
	return 0;
}

static int add_files(struct json *bindings, const struct json *configuration, const char *key,
		     const char *base_directory, struct arena *mem, struct err *err)
{
	const struct json *files = json_get(configuration, key);
	struct str path;

	if (!files || files->type == JSON_NULL)
		return 0;
	if (files->type != JSON_OBJECT)
		return err_set(err, ERR_USAGE, "'%s' must be an object of names and paths", key);
	json_each (entry, files) {
		if (path_of(entry, key, base_directory, mem, &path, err) < 0)
			return -(int)err->kind;
		if (set_text(bindings, entry->key, path.ptr, mem, err) < 0)
			return err_wrap(err, "'%s." STR_FMT "'", key, STR_ARG(entry->key));
	}
	return 0;
}

/* An object, or any value as JSON in a string. */
static int parse_object(const struct json *given, struct arena *mem, const struct json **out,
			struct err *err)
{
	struct json *parsed;

	*out = given;
	if (!given || given->type != JSON_STRING)
		return 0;
	if (json_parse(given->text, mem, &parsed, err) < 0) {
		err->kind = err->kind == ERR_FORMAT ? ERR_USAGE : err->kind;
		return err_wrap(err, "'bindingsObject' is a string, and no JSON");
	}
	*out = parsed;
	return 0;
}

static int merge_object(struct json *bindings, const struct json *object, struct arena *mem,
			struct script_config *out, struct err *err)
{
	if (!object || object->type == JSON_NULL)
		return 0;
	if (object->type != JSON_OBJECT) {
		out->bindings = object;
		return bindings->count == 0
			       ? 0
			       : err_set(err, ERR_USAGE,
					 "'bindingsObject' must be an object when there are "
					 "'bindingsObjectFiles' or 'bindingsObjectDirs' too");
	}
	json_each (member, object)
		json_set(bindings, member->key, json_copy(mem, member));
	return mem->failed ? no_memory(mem, err) : 0;
}

static int read_bindings(const struct json *configuration, const char *base_directory,
			 struct arena *mem, struct script_config *out, struct err *err)
{
	struct json *bindings = json_new(mem, JSON_OBJECT);
	const struct json *object;

	if (!bindings)
		return no_memory(mem, err);
	out->bindings = bindings;
	if (add_directories(bindings, configuration, "bindingsObjectDirs", base_directory, mem,
			    err) < 0 ||
	    add_files(bindings, configuration, "bindingsObjectFiles", base_directory, mem, err) <
		    0 ||
	    parse_object(json_get(configuration, "bindingsObject"), mem, &object, err) < 0)
		return -(int)err->kind;
	return merge_object(bindings, object, mem, out, err);
}

#define PROVIDER_FILES "providerConfigFiles"
#define PROVIDER_DIRECTORIES "providerConfigDirs"

/* Keys of the configuration itself may be the texts of files; those given in place override. */
static int read_provider_files(const struct json *given, const char *base_directory,
			       struct arena *mem, const struct json **out, struct err *err)
{
	struct json *configuration;

	*out = given;
	if (!json_get(given, PROVIDER_FILES) && !json_get(given, PROVIDER_DIRECTORIES))
		return 0;
	configuration = json_new(mem, JSON_OBJECT);
	if (add_directories(configuration, given, PROVIDER_DIRECTORIES, base_directory, mem, err) <
		    0 ||
	    add_files(configuration, given, PROVIDER_FILES, base_directory, mem, err) < 0)
		return -(int)err->kind;
	json_each (member, given)
		if (!str_is(member->key, PROVIDER_FILES) &&
		    !str_is(member->key, PROVIDER_DIRECTORIES))
			json_set(configuration, member->key, json_copy(mem, member));
	*out = configuration;
	return mem->failed ? no_memory(mem, err) : 0;
}

int script_config_read(const struct json *configuration, const char *base_directory,
		       struct arena *mem, struct script_config *out, struct err *err)
{
	static const char *const keys[] = {
		"initializationScript",
		"initializationScriptFile",
		"initializationResourcePath",
		"bindingsObject",
		"bindingsObjectFiles",
		"bindingsObjectDirs",
		NULL,
	};

	*out = (struct script_config){0};
	if (read_provider_files(configuration, base_directory, mem, &configuration, err) < 0 ||
	    transform_check_keys(configuration, keys, err) < 0 ||
	    read_script(configuration, base_directory, mem, out, err) < 0)
		return -(int)err->kind;
	if (out->script.len > 0 && memchr(out->script.ptr, 0, out->script.len))
		return err_set(err, ERR_USAGE, "the script holds a NUL byte");
	return read_bindings(configuration, base_directory, mem, out, err);
}
