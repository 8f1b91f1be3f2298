// Starts one embedded Elasticsearch 2.x node: java Es2 key=value ...
import org.elasticsearch.Version;
import org.elasticsearch.common.logging.log4j.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;

public class Es2 extends Node {
    Es2(Settings settings) {
        super(new Environment(settings), Version.CURRENT, Plugins.find());
    }

    public static void main(String[] args) throws Exception {
        Settings.Builder settings = Settings.settingsBuilder();
        for (String a : args) settings.put(a.substring(0, a.indexOf('=')), a.substring(a.indexOf('=') + 1));
        LogConfigurator.configure(settings.build(), true);
        Es2 node = new Es2(settings.build());
        node.start();
        Lifetime.of(node::close);
    }
}
