package dev.lotkeeper.conformance;

import com.google.gson.Gson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;

/** Which server a scenario runs against: the one at an address, or those that a harness gives by lines of JSON. */
interface Servers {
    /**
     * The address of a server with these settings.
     *
     * @throws NotHere it is not to be had
     */
    String serving(Map<?, ?> settings);

    /**
     * The address of the last one, after it was killed or stopped and started again.
     *
     * @throws NotHere nobody here may do that
     */
    String restarted(String how);

    /** The scenario needs a server that is not to be had; the message is the reason it is skipped for. */
    final class NotHere extends RuntimeException {
        NotHere(String message) {
            super(message);
        }
    }

    /** A server that is there, whose settings are not known and that nobody here may restart. */
    record OneAddress(String address) implements Servers {
        @Override
        public String serving(Map<?, ?> settings) {
            if (!settings.isEmpty()) {
                throw new NotHere("needs a server started with " + settings + ": run it with a harness");
            }
            return address;
        }

        @Override
        public String restarted(String how) {
            throw new NotHere("needs a server that can be restarted: run it with a harness");
        }
    }

    /** Asks whoever started this process: a line out, a line in. */
    record Harness(PrintStream asks, BufferedReader answers) implements Servers {
        @Override
        public String serving(Map<?, ?> settings) {
            return asked("server", "settings", settings);
        }

        @Override
        public String restarted(String how) {
            return asked("restart", "how", how);
        }

        private String asked(String what, String name, Object value) {
            Map<String, Object> request = new LinkedHashMap<>();
            request.put("do", what);
            request.put(name, value);
            asks.println(new Gson().toJson(request));
            asks.flush();
            String line;
            try {
                line = answers.readLine();
            } catch (IOException gone) {
                line = null;
            }
            Map<?, ?> answer = line == null ? Map.of("error", "the harness has gone") : new Gson().fromJson(line, Map.class);
            if (answer.containsKey("error")) {
                throw new NotHere(String.valueOf(answer.get("error")));
            }
            return String.valueOf(answer.get("address"));
        }
    }
}
