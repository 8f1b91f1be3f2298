#include "cli/docs.h"

/* The scripts hold three functions with the data, _shardlift_next (words that may follow), _flags
 * and _values, and one that asks them. bash and zsh read the same `case`, fish a `switch`. */

struct script {
	struct buf *out;
	bool fish;
};

static void begin_function(const struct script *s, const char *name)
{
	buf_printf(s->out,
		   s->fish ? "function _shardlift_%s\n\tswitch \"$argv[1]\"\n"
			   : "_shardlift_%s() {\n\tcase $1 in\n",
		   name);
}

static void end_function(const struct script *s)
{
	buf_append_str(s->out, s->fish ? STR("\tend\nend\n\n") : STR("\tesac\n}\n\n"));
}

static void begin_case(const struct script *s, struct str key, const char *more)
{
	buf_printf(s->out,
		   s->fish ? "\tcase '" STR_FMT "%s'\n\t\tprintf '%%s\\n'"
			   : "\t'" STR_FMT "%s') echo",
		   STR_ARG(key), more);
}

static void end_case(const struct script *s)
{
	buf_append_str(s->out, s->fish ? STR("\n") : STR(" ;;\n"));
}

/* In single quotes. */
static void put_quoted(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\'' || text.ptr[i] == '\\')
			buf_append_byte(out, '\\');
		buf_append_byte(out, text.ptr[i]);
	}
}

/* --- Words --- */

/* "backfill" of "backfill status" after 0 words; false: it has no more. */
static bool word_at(const char *name, size_t words, struct str *before, struct str *word)
{
	struct str rest = str_from(name);
	size_t at = 0;

	for (size_t i = 0;; i++) {
		struct str whole = rest;
		bool more = str_split(whole, ' ', word, &rest);

		if (i == words) {
			*before = str_of(name, at > 0 ? at - 1 : 0);
			return true;
		}
		if (!more)
			return false;
		at += word->len + 1;
	}
}

/* Whether an earlier command has the same words up to and with `words`, or the same before them. */
static bool said_before(const struct command *const *commands, size_t i, size_t words, bool with)
{
	struct str before, word, other_before, other;

	word_at(commands[i]->options.name, words, &before, &word);
	for (size_t j = 0; j < i; j++)
		if (!commands[j]->hidden &&
		    word_at(commands[j]->options.name, words, &other_before, &other) &&
		    str_eq(before, other_before) && (!with || str_eq(word, other)))
			return true;
	return false;
}

static void put_next(const struct script *s, const struct command *const *commands, size_t count,
		     size_t words)
{
	struct str before, word, other, next;

	for (size_t i = 0; i < count; i++) {
		if (commands[i]->hidden ||
		    !word_at(commands[i]->options.name, words, &before, &word) ||
		    said_before(commands, i, words, false))
			continue;
		begin_case(s, before, "");
		for (size_t j = i; j < count; j++)
			if (!commands[j]->hidden &&
			    word_at(commands[j]->options.name, words, &other, &next) &&
			    str_eq(other, before) && !said_before(commands, j, words, true))
				buf_printf(s->out, " " STR_FMT, STR_ARG(next));
		end_case(s);
	}
}

/* --- Flags --- */

struct flag {
	struct str name, help, values;
};

static bool next_flag(struct str *rest, struct flag *out)
{
	struct str line;

	if (rest->len == 0)
		return false;
	str_split(*rest, '\n', &line, rest);
	str_split(line, '\t', &out->name, &line);
	str_split(line, '\t', &out->help, &out->values);
	return true;
}

static void put_flags(const struct script *s, const struct command *command)
{
	cleanup(buf_release) struct buf flags = BUF_INIT(MIB(1));
	struct str rest;
	struct flag flag;

	opt_flags(&command->options, &flags);
	begin_case(s, str_from(command->options.name), "");
	for (rest = buf_str(&flags); next_flag(&rest, &flag);) {
		if (!s->fish) {
			buf_printf(s->out, " " STR_FMT, STR_ARG(flag.name));
			continue;
		}
		buf_printf(s->out, " '" STR_FMT "\t", STR_ARG(flag.name));
		put_quoted(s->out, flag.help);
		buf_append_byte(s->out, '\'');
	}
	end_case(s);
}

static void put_values(const struct script *s, const struct command *command)
{
	cleanup(buf_release) struct buf flags = BUF_INIT(MIB(1));
	struct str rest;
	struct flag flag;

	opt_flags(&command->options, &flags);
	for (rest = buf_str(&flags); next_flag(&rest, &flag);) {
		cleanup(buf_release) struct buf key = BUF_INIT(KIB(1));

		if (flag.values.len == 0 || str_is(flag.values, "-"))
			continue;
		buf_printf(&key, " " STR_FMT, STR_ARG(flag.name));
		begin_case(s, str_from(command->options.name), buf_cstr(&key));
		buf_printf(s->out, " " STR_FMT, STR_ARG(flag.values));
		end_case(s);
	}
}

static void put_data(const struct script *s)
{
	const struct command *const *commands;
	size_t count;

	commands = command_all(&count);
	begin_function(s, "next");
	for (size_t words = 0; words < 4; words++)
		put_next(s, commands, count, words);
	end_function(s);
	begin_function(s, "flags");
	for (size_t i = 0; i < count; i++)
		if (!commands[i]->hidden)
			put_flags(s, commands[i]);
	end_function(s);
	begin_function(s, "values");
	for (size_t i = 0; i < count; i++)
		if (!commands[i]->hidden)
			put_values(s, commands[i]);
	end_function(s);
}

/* --- What asks them --- */

static const char bash_text[] =
	"_shardlift() {\n"
	"\tlocal program=${COMP_WORDS[0]##*/} cur=${COMP_WORDS[COMP_CWORD]}\n"
	"\tlocal prev=${COMP_WORDS[COMP_CWORD-1]} route= word i values\n"
	"\t[[ $program == shardlift ]] || route=$program\n"
	"\t# --flag=value is three words to bash\n"
	"\tif [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then "
	"prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\t[[ $word == -* || \" $(_shardlift_next \"$route\") \" != *\" $word \"* ]] && break\n"
	"\t\troute=\"${route:+$route }$word\"\n"
	"\tdone\n"
	"\tvalues=$(_shardlift_values \"$route $prev\")\n"
	"\tif [[ -z $values && $cur == -* ]]; then\n"
	"\t\tvalues=$(_shardlift_flags \"$route\")\n"
	"\telif [[ -z $values && $prev != -* ]]; then\n"
	"\t\tvalues=$(_shardlift_next \"$route\")\n"
	"\tfi\n"
	"\tmapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$cur\")\n"
	"}\n"
	"complete -o default -F _shardlift shardlift workflow console\n";

static const char zsh_text[] =
	"_shardlift() {\n"
	"\tlocal program=${words[1]:t} route= word values\n"
	"\tlocal -i i\n"
	"\t[[ $program == shardlift ]] || route=$program\n"
	"\tfor ((i = 2; i < CURRENT; i++)); do\n"
	"\t\tword=${words[i]}\n"
	"\t\t[[ $word == -* || \" $(_shardlift_next \"$route\") \" != *\" $word \"* ]] && break\n"
	"\t\troute=\"${route:+$route }$word\"\n"
	"\tdone\n"
	"\tvalues=$(_shardlift_values \"$route ${words[CURRENT-1]}\")\n"
	"\tif [[ -z $values && $PREFIX == -* ]]; then\n"
	"\t\tvalues=$(_shardlift_flags \"$route\")\n"
	"\telif [[ -z $values ]]; then\n"
	"\t\tvalues=$(_shardlift_next \"$route\")\n"
	"\tfi\n"
	"\tif [[ -n $values ]]; then compadd -- ${=values}; else _files; fi\n"
	"}\n"
	"if [[ ${funcstack[1]} == _shardlift ]]; then\n"
	"\t_shardlift \"$@\"\n"
	"else\n"
	"\tcompdef _shardlift shardlift workflow console\n"
	"fi\n";

static const char fish_text[] = "function _shardlift_complete\n"
				"\tset -l words (commandline -opc)\n"
				"\tset -l current (commandline -ct)\n"
				"\tset -l route\n"
				"\tset -l program (string replace -r '.*/' '' -- $words[1])\n"
				"\ttest \"$program\" = shardlift; or set route $program\n"
				"\tfor word in $words[2..-1]\n"
				"\t\tstring match -q -- '-*' $word; and break\n"
				"\t\tcontains -- $word (_shardlift_next \"$route\"); or break\n"
				"\t\tset route $route $word\n"
				"\tend\n"
				"\tset -l values (_shardlift_values \"$route $words[-1]\")\n"
				"\tif test (count $values) -gt 0\n"
				"\t\tprintf '%s\\n' $values\n"
				"\telse if string match -q -- '-*' $current\n"
				"\t\t_shardlift_flags \"$route\"\n"
				"\telse\n"
				"\t\t_shardlift_next \"$route\"\n"
				"\tend\n"
				"end\n"
				"for program in shardlift workflow console\n"
				"\tcomplete -c $program -a '(_shardlift_complete)'\n"
				"end\n";

int docs_completion(const char *shell, struct buf *out, struct err *err)
{
	static const struct {
		const char *shell, *head, *text;
		bool fish;
	} shells[] = {{"bash", "# bash completion of shardlift\n", bash_text, false},
		      {"zsh", "#compdef shardlift workflow console\n", zsh_text, false},
		      {"fish", "# fish completion of shardlift\n", fish_text, true}};

	for (size_t i = 0; i < COUNT_OF(shells); i++) {
		struct script script = {out, shells[i].fish};

		if (strcmp(shell, shells[i].shell) != 0)
			continue;
		buf_append_str(out, str_from(shells[i].head));
		put_data(&script);
		buf_append_str(out, str_from(shells[i].text));
		return 0;
	}
	return err_set(err, ERR_USAGE, "'%s' is no shell that can be completed: bash, zsh, fish",
		       shell);
}
