import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerExtensionsValidatorCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

// A broker's judge of SASL OAUTHBEARER tokens that asks for what all of AWS's own signers make for MSK
// (aws-msk-iam-sasl-signer-go, -python, -js; aws-msk-iam-auth): the base64url, without padding, of an
// address of kafka-cluster:Connect that SigV4 signs in its query, with a User-Agent added behind the
// signing. What MSK asks for beyond that, nobody outside AWS can see.
//
// msk.region is the region. msk.keys is a file that is read for each token, a key a line:
//   OWNER ACCESS-KEY SECRET [SESSION-TOKEN SESSION'S-END]     the end in seconds since 1970
// The principal is the owner, as it is a role with AWS: keys of it may change while one is connected.
// Each verdict is a line of standard output. As a program, with REGION and FILE: verdicts about the
// lines of standard input.
public class MskTokens implements AuthenticateCallbackHandler {
    static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'");
    static final Set<String> NEEDED = Set.of("Action", "X-Amz-Algorithm", "X-Amz-Credential",
        "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature", "User-Agent");
    static final String SESSION = "X-Amz-Security-Token";
    static final long LONGEST_S = 900, CLOCKS_DIFFER_S = 300;

    private String region;
    private Path keys;

    static class Refused extends Exception {
        Refused(String why) {
            super(why);
        }
    }

    record Key(String owner, String id, String secret, String session, Instant end) {
        static Key of(String line) {
            String[] words = line.trim().split("\\s+");
            boolean lasts = words.length < 5;
            return new Key(words[0], words[1], words[2], lasts ? null : words[3],
                lasts ? Instant.MAX : Instant.ofEpochSecond(Long.parseLong(words[4])));
        }
    }

    record Token(String value, Key key, Instant signed, Instant end, String signature)
        implements OAuthBearerToken {
        public Set<String> scope() {
            return Set.of();
        }
        public long lifetimeMs() {
            return end.toEpochMilli();
        }
        public String principalName() {
            return key.owner();
        }
        public Long startTimeMs() {
            return signed.toEpochMilli();
        }
    }

    @Override
    public void configure(Map<String, ?> configs, String mechanism,
                          List<AppConfigurationEntry> entries) {
        region = (String) configs.get("msk.region");
        keys = Path.of((String) configs.get("msk.keys"));
    }

    @Override
    public void close() {
    }

    @Override
    public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
        for (Callback callback : callbacks) {
            if (callback instanceof OAuthBearerValidatorCallback asked) {
                Token token = judge(asked.tokenValue());
                if (token == null)
                    asked.error("invalid_token", null, null);
                else
                    asked.token(token);
            } else if (callback instanceof OAuthBearerExtensionsValidatorCallback asked) {
                asked.inputExtensions().map().keySet().forEach(name -> asked.error(name, "unknown"));
            } else {
                throw new UnsupportedCallbackException(callback);
            }
        }
    }

    // Null: it is refused.
    private Token judge(String value) throws IOException {
        try {
            Token token = read(value);
            System.out.println("msk: accepted " + token.key().id() + " " + token.signature());
            return token;
        } catch (Refused | GeneralSecurityException why) {
            System.out.println("msk: refused: " + why.getMessage());
            return null;
        }
    }

    private Token read(String value) throws Refused, GeneralSecurityException, IOException {
        String host = "kafka." + region + ".amazonaws.com", address = decoded(value);
        String begin = "https://" + host + "/?";
        require(address.startsWith(begin), "the address does not begin with " + begin);
        TreeMap<String, String> query = query(address.substring(begin.length()));
        Instant signed = date(query.get("X-Amz-Date"));
        Key key = key(query, query.get("X-Amz-Date").substring(0, 8));
        Instant end = signed.plusSeconds(life(query)), now = Instant.now();
        if (key.end().isBefore(end))
            end = key.end();
        require(signed.isBefore(now.plusSeconds(CLOCKS_DIFFER_S)), "it is signed in the future");
        require(now.isBefore(end), "it has ended");
        String signature = signature(host, query, key);
        require(signature.equals(query.get("X-Amz-Signature")), "the signature is another");
        return new Token(value, key, signed, end, signature);
    }

    private static void require(boolean condition, String otherwise) throws Refused {
        if (!condition)
            throw new Refused(otherwise);
    }

    private static String decoded(String value) throws Refused {
        require(!value.contains("="), "it is padded");
        try {
            return new String(Base64.getUrlDecoder().decode(value), "UTF-8");
        } catch (IllegalArgumentException | IOException why) {
            throw new Refused("it is no base64url");
        }
    }

    // By name, whatever their order was.
    private static TreeMap<String, String> query(String text) throws Refused {
        TreeMap<String, String> query = new TreeMap<>();
        for (String part : text.split("&", -1)) {
            int at = part.indexOf('=');
            require(at > 0, "a parameter has no name or no value");
            String before = query.put(unescaped(part.substring(0, at)), unescaped(part.substring(at + 1)));
            require(before == null, "a parameter is there twice");
        }
        Set<String> unknown = new TreeSet<>(query.keySet()), missing = new TreeSet<>(NEEDED);
        unknown.removeAll(NEEDED);
        unknown.remove(SESSION);
        missing.removeAll(query.keySet());
        require(unknown.isEmpty(), "unknown parameters " + unknown);
        require(missing.isEmpty(), "missing parameters " + missing);
        require(query.get("Action").equals("kafka-cluster:Connect"), "the action is another");
        require(query.get("X-Amz-Algorithm").equals("AWS4-HMAC-SHA256"), "the algorithm is another");
        require(query.get("X-Amz-SignedHeaders").equals("host"), "other headers are signed");
        require(!query.get("User-Agent").isEmpty(), "the User-Agent is empty");
        return query;
    }

    private static Instant date(String text) throws Refused {
        try {
            return LocalDateTime.parse(text, DATE).toInstant(ZoneOffset.UTC);
        } catch (DateTimeParseException why) {
            throw new Refused("X-Amz-Date is no date");
        }
    }

    private static long life(Map<String, String> query) throws Refused {
        String text = query.get("X-Amz-Expires");
        require(text.matches("[1-9][0-9]{0,3}") && Long.parseLong(text) <= LONGEST_S,
            "X-Amz-Expires is not of 1 to " + LONGEST_S);
        return Long.parseLong(text);
    }

    private Key key(Map<String, String> query, String day) throws Refused, IOException {
        String[] scope = query.get("X-Amz-Credential").split("/", -1);
        require(scope.length == 5, "X-Amz-Credential has not five parts");
        require(scope[1].equals(day), "X-Amz-Credential is of another day");
        require(scope[2].equals(region), "X-Amz-Credential is of another region");
        require(scope[3].equals("kafka-cluster"), "X-Amz-Credential is of another service");
        require(scope[4].equals("aws4_request"), "X-Amz-Credential ends otherwise");
        for (String line : Files.readAllLines(keys)) {
            Key key = Key.of(line);
            if (!key.id().equals(scope[0]))
                continue;
            String session = query.get(SESSION);
            require(session == null ? key.session() == null : session.equals(key.session()),
                "the session token is another");
            return key;
        }
        throw new Refused("the access key is unknown");
    }

    private String signature(String host, TreeMap<String, String> query, Key key)
        throws GeneralSecurityException {
        String canonical = query.entrySet().stream()
            .filter(one -> !one.getKey().equals("X-Amz-Signature") && !one.getKey().equals("User-Agent"))
            .map(one -> escaped(one.getKey()) + "=" + escaped(one.getValue()))
            .collect(Collectors.joining("&"));
        String date = query.get("X-Amz-Date"), day = date.substring(0, 8);
        String request = "GET\n/\n" + canonical + "\nhost:" + host + "\n\nhost\n" + hash("");
        String text = "AWS4-HMAC-SHA256\n" + date + "\n" + day + "/" + region
            + "/kafka-cluster/aws4_request\n" + hash(request);
        byte[] secret = ("AWS4" + key.secret()).getBytes();
        for (String part : List.of(day, region, "kafka-cluster", "aws4_request", text))
            secret = mac(secret, part);
        return HexFormat.of().formatHex(secret);
    }

    private static String hash(String text) throws GeneralSecurityException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes()));
    }

    private static byte[] mac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes());
    }

    // As SigV4 wants it: all but A-Z a-z 0-9 - _ . ~
    private static String escaped(String text) {
        StringBuilder out = new StringBuilder();
        for (byte b : text.getBytes())
            if (b > 0 && (Character.isLetterOrDigit(b) || "-_.~".indexOf(b) >= 0))
                out.append((char) b);
            else
                out.append(String.format("%%%02X", b));
        return out.toString();
    }

    private static String unescaped(String text) throws Refused {
        try {
            return java.net.URLDecoder.decode(text.replace("+", "%2B"), "UTF-8");
        } catch (IllegalArgumentException | IOException why) {
            throw new Refused("a parameter is escaped wrongly");
        }
    }

    public static void main(String[] arguments) throws IOException {
        MskTokens judge = new MskTokens();
        judge.configure(Map.of("msk.region", arguments[0], "msk.keys", arguments[1]), "", List.of());
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine())
            judge.judge(line);
    }
}
