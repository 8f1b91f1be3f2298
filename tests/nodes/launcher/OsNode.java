// Starts one OpenSearch node without its Bootstrap class, so: as root, with no security manager and no
// bootstrap checks.
//
//   OsNode describe MODULES   writes the plugin-descriptor.properties that a distribution would have
//   OsNode run HOME k=v...    runs a node
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.opensearch.Version;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;

public class OsNode {
    public static void main(String[] args) throws Exception {
        if (args[0].equals("describe")) describe(Paths.get(args[1]));
        else run(Paths.get(args[1]), Arrays.copyOfRange(args, 2, args.length));
    }

    private static void run(Path home, String[] settings) throws Exception {
        Settings.Builder builder = Settings.builder().put("path.home", home.toString());
        for (String s : settings) builder.put(s.substring(0, s.indexOf('=')), s.substring(s.indexOf('=') + 1));
        Node node = new Node(InternalSettingsPreparer.prepareEnvironment(
            builder.build(), Collections.emptyMap(), home.resolve("config"), () -> "node-1"));
        node.start();
        Lifetime.of(node::close);
    }

    private static void describe(Path modules) throws Exception {
        List<Path> folders = list(modules);
        List<URL> jars = new ArrayList<>();
        for (Path folder : folders) for (Path jar : list(folder)) jars.add(jar.toUri().toURL());
        try (URLClassLoader loader = new URLClassLoader(jars.toArray(new URL[0]))) {
            for (Path folder : folders) describe(modules, folder, loader);
        }
    }

    // A module that extends painless shares painless's class loader, so its own copies must go.
    private static void describe(Path modules, Path folder, ClassLoader loader) throws Exception {
        String name = folder.getFileName().toString(), plugin = null;
        boolean extendsPainless = false;
        for (Path path : list(folder)) {
            try (JarFile jar = new JarFile(path.toFile())) {
                if (!name.equals("lang-painless"))
                    extendsPainless |= jar.getEntry("META-INF/services/org.opensearch.painless.spi.PainlessExtension") != null;
                plugin = pluginClass(jar, loader, plugin);
            }
        }
        if (plugin == null) throw new IllegalStateException("no plugin class in " + folder);
        if (extendsPainless)
            for (Path jar : list(modules.resolve("lang-painless"))) Files.deleteIfExists(folder.resolve(jar.getFileName()));
        Files.write(folder.resolve("plugin-descriptor.properties"), Arrays.asList(
            "name=" + name, "description=" + name, "version=" + Version.CURRENT, "opensearch.version=" + Version.CURRENT,
            "java.version=1.8", "classname=" + plugin, "has.native.controller=false",
            "extended.plugins=" + (extendsPainless ? "lang-painless" : "")));
    }

    private static String pluginClass(JarFile jar, ClassLoader loader, String found) {
        List<String> names = jar.stream().map(e -> e.getName())
            .filter(n -> n.startsWith("org/opensearch/") && n.endsWith("Plugin.class")).collect(Collectors.toList());
        for (String name : names) {
            try {
                Class<?> c = Class.forName(name.replace('/', '.').substring(0, name.length() - 6), false, loader);
                if (Plugin.class.isAssignableFrom(c) && !java.lang.reflect.Modifier.isAbstract(c.getModifiers())) found = c.getName();
            } catch (ReflectiveOperationException | LinkageError e) {
                // needs what is not here: not the module's own class
            }
        }
        return found;
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(p -> Files.isDirectory(p) || p.toString().endsWith(".jar")).sorted().collect(Collectors.toList());
        }
    }
}
