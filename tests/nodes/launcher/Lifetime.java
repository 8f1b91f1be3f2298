// How long a node runs: until it is told to end, or until the process that asked for it is gone.
class Lifetime {
    interface Closer {
        void close() throws Exception;
    }

    // Returns only by ending the JVM. The system property node.owner is a process id, or empty.
    static void of(Closer node) throws InterruptedException {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (Exception e) {
                e.printStackTrace();
            }
        }));
        String owner = System.getProperty("node.owner", "");
        if (!owner.isEmpty())
            ProcessHandle.of(Long.parseLong(owner)).map(ProcessHandle::onExit)
                .ifPresentOrElse(gone -> gone.thenRun(() -> System.exit(0)), () -> System.exit(0));
        Thread.currentThread().join();
    }
}
