// Starts one embedded Elasticsearch 6.x or 7.x node: java Es6 key=value ...
import java.nio.file.Paths;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;

public class Es6 extends Node {
    Es6(Settings settings) {
        super(new Environment(settings, Paths.get(settings.get("path.home"), "config")), Plugins.find(), true);
    }

    // 6.x asks for it; 7.x knows no such method.
    protected void registerDerivedNodeNameWithLogger(String name) {
        LogConfigurator.setNodeName(name);
    }

    public static void main(String[] args) throws Exception {
        Settings.Builder settings = Settings.builder();
        for (String a : args) settings.put(a.substring(0, a.indexOf('=')), a.substring(a.indexOf('=') + 1));
        LogConfigurator.configureWithoutConfig(settings.build());
        Es6 node = new Es6(settings.build());
        node.start();
        Lifetime.of(node::close);
    }
}
