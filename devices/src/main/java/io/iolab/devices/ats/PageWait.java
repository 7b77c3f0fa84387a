package io.iolab.devices.ats;

/** How long a function waits for the answer to a page request before it gives the transfer up. */
@FunctionalInterface
public interface PageWait {
    /** Not at all: the answer has come before the request returns, or a later transfer finds it. What virtual time needs. */
    PageWait NONE = look -> false;

    /**
     * Up to {@code looks} looks at once, for runs on threads.
     *
     * @param looks not negative
     */
    static PageWait looks(int looks) {
        return look -> look < looks;
    }

    /**
     * @param look how often the function has looked in vain, from 0
     * @return whether to look again
     */
    boolean again(int look);
}
