package io.iolab.devices.spec;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The requirement of a specification that a test checks. The build makes CONFORMANCE.md out of these. */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@Repeatable(Spec.All.class)
public @interface Spec {

    /** The requirement's name in the conformance list: V for the device, D for the driver, then a number, as in V14.2. */
    String id();

    /** Where it stands, as in "virtio 1.2 4.1.4.5". */
    String section();

    /** Several requirements checked by one test. */
    @Documented
    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    @interface All {
        Spec[] value();
    }
}
