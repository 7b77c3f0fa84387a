package io.iolab;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Random;

/** The house, one sentence a rule. */
@AnalyzeClasses(packages = "io.iolab", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    private static final String DEVICES = "io.iolab.devices..";
    private static final String IOMMU = "io.iolab.iommu..";
    private static final String VMM = "io.iolab.vmm..";
    private static final String SCENARIOS = "io.iolab.scenarios..";

    /** What a device sees of the world, and all that the IOMMU sees of devices. */
    private static final String[] CONTRACTS = {
        "io.iolab.devices.memory..",
        "io.iolab.devices.dma..",
        "io.iolab.devices.irq..",
        "io.iolab.devices.bus..",
        "io.iolab.devices.register..",
        "io.iolab.devices.pci..",
        "io.iolab.devices.time..",
        "io.iolab.devices.fault..",
    };

    private static final String[] DEVICE_MODELS = {
        "io.iolab.devices.e1000..",
        "io.iolab.devices.igb..",
        "io.iolab.devices.edu..",
        "io.iolab.devices.testdev..",
        "io.iolab.devices.virtio.."
    };
    private static final String DRIVERS = "io.iolab.devices.driver..";

    @ArchTest
    static final ArchRule devices_import_nothing_else_of_the_lab = noClasses()
            .that()
            .resideInAPackage(DEVICES)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(IOMMU, VMM, SCENARIOS)
            .because("hardware knows nothing of virtual machines")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule contracts_import_no_device_and_no_driver = noClasses()
            .that()
            .resideInAnyPackage(CONTRACTS)
            .should()
            .dependOnClassesThat(resideInAnyPackage(DEVICE_MODELS).or(resideInAnyPackage(DRIVERS)))
            .because("contracts lie below both sides")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule iommu_imports_only_the_contract_packages_of_devices = noClasses()
            .that()
            .resideInAPackage(IOMMU)
            .should()
            .dependOnClassesThat(resideInAnyPackage(DEVICES).and(not(resideInAnyPackage(CONTRACTS))))
            .because("a remapping unit serves any requester")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule iommu_does_not_import_vmm_or_scenarios = noClasses()
            .that()
            .resideInAPackage(IOMMU)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(VMM, SCENARIOS)
            .because("imports run one way")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule vmm_does_not_import_scenarios = noClasses()
            .that()
            .resideInAPackage(VMM)
            .should()
            .dependOnClassesThat()
            .resideInAPackage(SCENARIOS)
            .because("imports run one way")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule drivers_do_not_import_device_models = noClasses()
            .that()
            .resideInAPackage(DRIVERS)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(DEVICE_MODELS)
            .because("a driver transcribes the specification itself, so a wrong shared constant cannot pass unseen")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule device_models_do_not_import_drivers = noClasses()
            .that()
            .resideInAnyPackage(DEVICE_MODELS)
            .should()
            .dependOnClassesThat()
            .resideInAPackage(DRIVERS)
            .because("a device is programmed, it does not program")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule only_devices_memory_imports_chronicle = noClasses()
            .that()
            .resideOutsideOfPackage("io.iolab.devices.memory..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("net.openhft..")
            .because("its stores have no bounds checks, and one class adds them")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule only_vmm_backend_imports_disruptor = noClasses()
            .that()
            .resideOutsideOfPackage("io.iolab.vmm.backend..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("com.lmax.disruptor..")
            .because("how work changes threads is decided in one place")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule only_vmm_metrics_and_scenarios_serve_import_micrometer_or_prometheus = noClasses()
            .that()
            .resideOutsideOfPackages("io.iolab.vmm.metrics..", "io.iolab.scenarios.serve..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.micrometer..", "io.prometheus..")
            .because("hot counters are plain fields, read when a scrape comes")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule devices_and_iommu_do_not_sleep = noClasses()
            .that()
            .resideInAnyPackage(DEVICES, IOMMU)
            .should()
            .callMethodWhere(target(owner(type(Thread.class))).and(target(name("sleep"))))
            .because("time is injected")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule devices_and_iommu_do_not_read_a_clock_of_their_own = noClasses()
            .that()
            .resideInAnyPackage(DEVICES, IOMMU)
            .should()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .dependOnClassesThat()
            .haveNameMatching("java\\.time\\.(Clock|Instant|Local.*|Zoned.*)")
            .because("time is injected")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule devices_and_iommu_do_not_use_unseeded_randomness = noClasses()
            .that()
            .resideInAnyPackage(DEVICES, IOMMU)
            .should()
            .callConstructor(Random.class)
            .orShould()
            .callMethod(Math.class, "random")
            .orShould()
            .dependOnClassesThat()
            .haveNameMatching("java\\.util\\.concurrent\\.ThreadLocalRandom|java\\.security\\.SecureRandom")
            .because("the same seed gives the same output")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule nobody_imports_java_util_logging = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAPackage("java.util.logging..")
            .because("logs go through slf4j")
            .allowEmptyShould(true);
}
