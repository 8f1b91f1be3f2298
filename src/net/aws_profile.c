#include "net/aws_credentials_internal.h"

#include "base/small_file.h"

static struct str trimmed(struct str s)
{
	while (s.len > 0 && (unsigned char)s.ptr[0] <= ' ')
		s = str_from_offset(s, 1);
	while (s.len > 0 && (unsigned char)s.ptr[s.len - 1] <= ' ')
		s.len--;
	return s;
}

static bool is_section(struct str line, const char *profile)
{
	struct str name = trimmed(str_of(line.ptr + 1, line.len - 1));

	if (str_ends(name, STR("]")))
		name.len--;
	name = trimmed(name);
	if (str_starts(name, STR("profile ")))
		name = trimmed(str_from_offset(name, 8));
	return str_is(name, profile);
}

/* The value in the last section of that name; ptr NULL: none. */
static struct str find_value(struct str text, const char *profile, const char *name)
{
	struct str found = STR_NONE, rest = text, line, key, value;
	bool inside = false;

	for (bool more = true; more;) {
		more = str_split(rest, '\n', &line, &rest);
		line = trimmed(line);
		if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';')
			continue;
		if (line.ptr[0] == '[')
			inside = is_section(line, profile);
		else if (inside && str_split(line, '=', &key, &value) && str_is(trimmed(key), name))
			found = trimmed(value);
	}
	return found;
}

static const char *value_in(const char *variable, const char *file, const char *profile,
			    const char *name, struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(AWS_DOCUMENT_MAX);
	const char *path = aws_variable(variable), *home = aws_variable("HOME");
	struct str value;

	if (!path && home)
		path = arena_printf(mem, "%s/.aws/%s", home, file).ptr;
	if (!path || small_file_read(path, &text, NULL) <= 0)
		return NULL;
	value = find_value(buf_str(&text), profile, name);
	return value.len > 0 ? arena_str(mem, value).ptr : NULL;
}

static const char *name_of(const char *profile)
{
	if (profile)
		return profile;
	return aws_variable("AWS_PROFILE") ? aws_variable("AWS_PROFILE") : "default";
}

const char *aws_profile_value(const char *profile, const char *name, struct arena *mem)
{
	const char *value =
		value_in("AWS_SHARED_CREDENTIALS_FILE", "credentials", name_of(profile), name, mem);

	return value ? value : value_in("AWS_CONFIG_FILE", "config", name_of(profile), name, mem);
}

/* The setting of a profile that gets its credentials in a way that is not built; NULL: none. */
static const char *other_way(const char *profile, struct arena *mem)
{
	static const char *const ways[] = {"role_arn", "sso_session", "sso_start_url",
					   "credential_process"};

	for (size_t i = 0; i < COUNT_OF(ways); i++)
		if (aws_profile_value(profile, ways[i], mem))
			return ways[i];
	return NULL;
}

int aws_credentials_of_profile(const struct aws_credentials_options *options, struct arena *mem,
			       struct aws_key_found *out, struct err *err)
{
	const char *profile = options->profile, *name = name_of(profile), *way;
	struct sigv4_key key = {
		aws_profile_value(profile, "aws_access_key_id", mem),
		aws_profile_value(profile, "aws_secret_access_key", mem),
		aws_profile_value(profile, "aws_session_token", mem),
	};

	if (key.access_key_id && key.secret_access_key) {
		*out = (struct aws_key_found){.key = key, .origin = "a profile"};
		return 1;
	}
	if (key.access_key_id || key.secret_access_key)
		return err_set(err, ERR_AUTH,
			       "AWS profile '%s' has an access key or a secret, and not both; "
			       "complete it in ~/.aws/credentials",
			       name);
	if ((way = other_way(profile, mem)))
		return err_set(err, ERR_AUTH,
			       "AWS profile '%s' gets its credentials by %s, which is not "
			       "supported; run `aws configure export-credentials --profile %s "
			       "--format env` and set what it prints",
			       name, way, name);
	if (options->profile || aws_variable("AWS_PROFILE"))
		return err_set(err, ERR_AUTH,
			       "AWS profile '%s' is not in ~/.aws/credentials or ~/.aws/config; "
			       "check --s3-profile or AWS_PROFILE",
			       name);
	return aws_none_here(err, "there is no profile 'default' with keys in ~/.aws");
}
