// Runs a broker until it is told to end, or until the process that asked for it is gone.
class KafkaNode {
    public static void main(String[] args) {
        String owner = System.getProperty("node.owner", "");
        if (!owner.isEmpty())
            ProcessHandle.of(Long.parseLong(owner)).map(ProcessHandle::onExit)
                .ifPresentOrElse(gone -> gone.thenRun(() -> System.exit(0)), () -> System.exit(0));
        kafka.Kafka.main(args);
    }
}
