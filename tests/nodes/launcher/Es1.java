// Starts one embedded Elasticsearch 1.x node: java Es1 key=value ...
import java.io.InputStream;
import java.lang.invoke.MethodHandles;
import java.nio.charset.StandardCharsets;
import org.elasticsearch.common.logging.log4j.LogConfigurator;
import org.elasticsearch.common.settings.ImmutableSettings;
import org.elasticsearch.monitor.jvm.JvmStats;
import org.elasticsearch.node.Node;
import org.elasticsearch.node.NodeBuilder;

public class Es1 {
    public static void main(String[] args) throws Exception {
        patchJvmInfo();
        ImmutableSettings.Builder settings = ImmutableSettings.settingsBuilder();
        for (String a : args) settings.put(a.substring(0, a.indexOf('=')), a.substring(a.indexOf('=') + 1));
        LogConfigurator.configure(settings.build());
        Node node = NodeBuilder.nodeBuilder().loadConfigSettings(false).settings(settings).node();
        Lifetime.of(node::close);
    }

    // JvmInfo asks RuntimeMXBean for getBootClassPath(), which throws since Java 9. Define the class
    // with that constant pool name changed to getLibraryPath, which has the same signature.
    private static void patchJvmInfo() throws Exception {
        try (InputStream in = JvmStats.class.getResourceAsStream("JvmInfo.class")) {
            String code = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
            code = code.replace("\0\20getBootClassPath", "\0\16getLibraryPath");
            MethodHandles.privateLookupIn(JvmStats.class, MethodHandles.lookup())
                .defineClass(code.getBytes(StandardCharsets.ISO_8859_1));
        }
    }
}
