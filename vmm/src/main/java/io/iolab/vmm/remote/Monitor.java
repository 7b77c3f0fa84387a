package io.iolab.vmm.remote;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.devices.pci.NetworkFunction;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The QEMU Machine Protocol, as much of it as makes sense for a machine without processors: one JSON document a command, one a reply, events
 * between them.
 */
final class Monitor {
    /** The version of QEMU whose commands and machines are offered. */
    private static final int MAJOR = 7;

    private static final int MINOR = 2;

    private final ObjectMapper json = new ObjectMapper();
    private final RemoteMachine machine;
    private final Map<String, Netdev> netdevs;
    private final String version;
    private final Consumer<String> output;
    private final Map<String, Function<JsonNode, JsonNode>> commands = new TreeMap<>();
    private boolean negotiated;
    private boolean quit;
    /** What the command that runs brings about; it is told after the reply. */
    private @Nullable ObjectNode pendingEvent;

    /** A command that cannot be carried out. */
    private static final class Refusal extends RuntimeException {
        private final String kind;

        Refusal(String kind, String message) {
            super(message, null, false, false);
            this.kind = kind;
        }
    }

    /** @param version of the lab */
    Monitor(RemoteMachine machine, Map<String, Netdev> netdevs, String version, Consumer<String> output) {
        this.machine = machine;
        this.netdevs = netdevs;
        this.version = version;
        this.output = output;
        commands.put("qmp_capabilities", arguments -> json.createObjectNode());
        commands.put("query-version", arguments -> version());
        commands.put("query-status", arguments -> status());
        commands.put("query-commands", arguments -> names());
        commands.put("system_reset", arguments -> reset());
        commands.put("set_link", this::setLink);
        commands.put("device_del", this::deviceDel);
        commands.put("x-iolab-take-messages", arguments -> messages());
        commands.put("stop", arguments -> json.createObjectNode());
        commands.put("cont", arguments -> json.createObjectNode());
        commands.put("quit", arguments -> quit());
    }

    /** What QEMU says first. */
    void greet() {
        ObjectNode greeting = json.createObjectNode();
        ObjectNode qmp = greeting.putObject("QMP");
        qmp.set("version", version());
        qmp.putArray("capabilities");
        output.accept(greeting.toString());
    }

    /** Whether the client asked the machine to end. */
    boolean quitRequested() {
        return quit;
    }

    /** Carries out one document and answers it. */
    void handle(String document) {
        ObjectNode reply = json.createObjectNode();
        try {
            JsonNode request = json.readTree(document);
            if (request.has("id")) {
                reply.set("id", request.get("id"));
            }
            reply.set("return", run(request));
        } catch (Refusal e) {
            error(reply, e.kind, String.valueOf(e.getMessage()));
        } catch (JsonProcessingException e) {
            error(reply, "GenericError", "JSON parse error, " + problem(e));
        }
        ObjectNode event = pendingEvent;
        pendingEvent = null;
        output.accept(reply.toString());
        if (event != null) {
            output.accept(event.toString());
        }
    }

    private static String problem(JacksonException e) {
        return e.getOriginalMessage();
    }

    private static void error(ObjectNode reply, String kind, String text) {
        reply.putObject("error").put("class", kind).put("desc", text);
    }

    private JsonNode run(JsonNode request) {
        JsonNode name = request.get("execute");
        if (name == null || !name.isTextual()) {
            throw new Refusal("GenericError", "QMP input lacks member 'execute'");
        }
        Function<JsonNode, JsonNode> command = commands.get(name.textValue());
        boolean negotiates = name.textValue().equals("qmp_capabilities");
        if (command == null || negotiates == negotiated) {
            throw new Refusal(
                    "CommandNotFound",
                    negotiated || command == null
                            ? "The command " + name.textValue() + " has not been found"
                            : "Expecting capabilities negotiation with 'qmp_capabilities'");
        }
        JsonNode arguments = request.get("arguments");
        JsonNode result = command.apply(arguments == null ? json.createObjectNode() : arguments);
        negotiated = true;
        return result;
    }

    private ObjectNode version() {
        ObjectNode result = json.createObjectNode();
        result.putObject("qemu").put("micro", 0).put("minor", MINOR).put("major", MAJOR);
        return result.put("package", "iolab " + version);
    }

    private ObjectNode status() {
        return json.createObjectNode()
                .put("status", "running")
                .put("singlestep", false)
                .put("running", true);
    }

    /** Interrupt messages since the last call, as they left devices or remapping: QEMU has no like, its processors take them. */
    private JsonNode messages() {
        var result = json.createArrayNode();
        machine.messages()
                .take()
                .forEach(message -> result.addObject()
                        .put("address", message.address())
                        .put("data", message.data() & 0xFFFF_FFFFL));
        return result;
    }

    private JsonNode names() {
        var result = json.createArrayNode();
        commands.keySet().forEach(name -> result.addObject().put("name", name));
        return result;
    }

    private ObjectNode reset() {
        machine.reset();
        pendingEvent = event("RESET", "host-qmp-system-reset");
        return json.createObjectNode();
    }

    private ObjectNode quit() {
        quit = true;
        pendingEvent = event("SHUTDOWN", "host-qmp-quit");
        return json.createObjectNode();
    }

    private ObjectNode event(String name, String reason) {
        long micros = System.currentTimeMillis() * 1000;
        ObjectNode event = json.createObjectNode();
        event.putObject("timestamp").put("seconds", micros / 1_000_000).put("microseconds", micros % 1_000_000);
        event.put("event", name);
        event.putObject("data").put("guest", false).put("reason", reason);
        return event;
    }

    private static String text(JsonNode arguments, String name) {
        JsonNode value = arguments.get(name);
        if (value == null || !value.isTextual()) {
            throw new Refusal("GenericError", "Parameter '" + name + "' is missing");
        }
        return value.textValue();
    }

    /** By the name of an adapter, or of the netdev behind it. */
    private ObjectNode setLink(JsonNode arguments) {
        String name = text(arguments, "name");
        JsonNode up = arguments.get("up");
        if (up == null || !up.isBoolean()) {
            throw new Refusal("GenericError", "Parameter 'up' is missing");
        }
        boolean found = false;
        for (RemoteMachine.Slot slot : machine.slots()) {
            boolean meant = slot.id().equals(name) || slot.netdev() != null && slot.netdev() == netdevs.get(name);
            if (meant && slot.function() instanceof NetworkFunction adapter) {
                adapter.setLink(up.booleanValue());
                found = true;
            }
        }
        if (!found) {
            throw new Refusal("DeviceNotFound", "Device '" + name + "' not found");
        }
        machine.settle();
        return json.createObjectNode();
    }

    private ObjectNode deviceDel(JsonNode arguments) {
        String id = text(arguments, "id");
        if (machine.slots().stream().noneMatch(slot -> slot.id().equals(id))) {
            throw new Refusal("DeviceNotFound", "Device '" + id + "' not found");
        }
        throw new Refusal("GenericError", "the bus of '" + id + "' does not support hotplugging");
    }
}
