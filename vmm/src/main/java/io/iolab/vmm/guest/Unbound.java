package io.iolab.vmm.guest;

/** The endpoint of a program that has not been started. */
enum Unbound implements Endpoint {
    INSTANCE;

    private static IllegalStateException notStarted() {
        return new IllegalStateException("the program has not been started");
    }

    @Override
    public long nowPicos() {
        throw notStarted();
    }

    @Override
    public byte[] macAddress() {
        throw notStarted();
    }

    @Override
    public boolean send(byte[] frame, int offset, int length) {
        throw notStarted();
    }

    @Override
    public void flush() {
        throw notStarted();
    }

    @Override
    public void latency(long sincePicos) {
        throw notStarted();
    }

    @Override
    public void corrupt() {
        throw notStarted();
    }
}
