// Starts one embedded Elasticsearch 8.19 node: java Es8 key=value ...
import java.nio.file.Paths;
import java.util.Map;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

public class Es8 {
    public static void main(String[] args) throws Exception {
        Settings.Builder settings = Settings.builder();
        for (String a : args) settings.put(a.substring(0, a.indexOf('=')), a.substring(a.indexOf('=') + 1));
        LogConfigurator.configureESLogging();
        LogConfigurator.configureWithoutConfig(settings.build());
        Environment env = new Environment(settings.build(), Paths.get(settings.get("path.home"), "config"));
        PluginsLoader plugins = PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(env.modulesDir()),
            PluginsLoader.loadPluginsBundles(env.pluginsDir()), Map.of(), false);
        Node node = new Node(env, plugins);
        node.start();
        Lifetime.of(node::close);
    }
}
