// Starts one embedded Elasticsearch 5.x node: java Es5 key=value ...
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;

public class Es5 extends Node {
    Es5(Settings settings) {
        super(new Environment(settings), Plugins.find());
    }

    public static void main(String[] args) throws Exception {
        Settings.Builder settings = Settings.builder();
        for (String a : args) settings.put(a.substring(0, a.indexOf('=')), a.substring(a.indexOf('=') + 1));
        LogConfigurator.configureWithoutConfig(settings.build());
        Es5 node = new Es5(settings.build());
        node.start();
        Lifetime.of(node::close);
    }
}
