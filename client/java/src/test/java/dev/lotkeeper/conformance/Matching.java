package dev.lotkeeper.conformance;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** Whether an answer is what a scenario expects: the first difference in words, or null. */
final class Matching {
    /** A map with one of these keys, and nothing else, is a matcher: no field of the contract has such a name. */
    private static final Set<String> MATCHERS = Set.of("save", "greater", "contains");

    /** As the last item of a list: more may follow. */
    static final String REST = "...";

    private Matching() {}

    /** The first difference, or null; what {@code {save: NAME}} met is put into {@code saved}. */
    static String difference(Object expected, Object actual, String where, Map<String, Object> saved) {
        if (isMatcher(expected)) {
            return matched((Map<?, ?>) expected, actual, where, saved);
        }
        if (expected instanceof Map<?, ?> map) {
            return mapDifference(map, actual, where, saved);
        }
        if (expected instanceof List<?> list) {
            return listDifference(list, actual, where, saved);
        }
        if (expected == null) {
            return actual == null ? null : where + ": expected it not to be set, got " + shown(actual);
        }
        return same(expected, actual) ? null : where + ": expected " + shown(expected) + ", got " + shown(actual);
    }

    static boolean isMatcher(Object expected) {
        return expected instanceof Map<?, ?> map && map.size() == 1 && MATCHERS.contains(map.keySet().iterator().next());
    }

    private static String matched(Map<?, ?> expected, Object actual, String where, Map<String, Object> saved) {
        var matcher = expected.entrySet().iterator().next();
        Object wanted = matcher.getValue();
        if (actual == null || actual.equals("")) {
            return where + ": expected a value, got " + shown(actual);
        }
        switch ((String) matcher.getKey()) {
            case "save" -> {
                saved.put((String) wanted, actual);
                return null;
            }
            case "contains" -> {
                boolean contained = String.valueOf(actual).contains(String.valueOf(wanted));
                return contained ? null : where + ": expected " + shown(wanted) + " in " + shown(actual);
            }
            default -> {
                boolean above = String.valueOf(actual).matches("-?[0-9]+")
                        && new java.math.BigInteger(String.valueOf(actual))
                                        .compareTo(new java.math.BigInteger(String.valueOf(wanted)))
                                > 0;
                return above ? null : where + ": expected more than " + wanted + ", got " + shown(actual);
            }
        }
    }

    private static String mapDifference(Map<?, ?> expected, Object actual, String where, Map<String, Object> saved) {
        if (!(actual instanceof Map<?, ?> map)) {
            return where + ": expected " + shown(expected) + ", got " + shown(actual);
        }
        for (var wanted : expected.entrySet()) {
            String found = difference(wanted.getValue(), map.get(wanted.getKey()), where + "." + wanted.getKey(), saved);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    private static String listDifference(List<?> expected, Object actual, String where, Map<String, Object> saved) {
        if (!(actual instanceof List<?> list)) {
            return where + ": expected a list, got " + shown(actual);
        }
        boolean openEnded = !expected.isEmpty() && REST.equals(expected.get(expected.size() - 1));
        List<?> wanted = openEnded ? expected.subList(0, expected.size() - 1) : expected;
        if (list.size() < wanted.size() || list.size() > wanted.size() && !openEnded) {
            String least = openEnded ? "at least " : "";
            return where + ": expected " + least + wanted.size() + " items, got " + list.size() + ": " + shown(actual);
        }
        for (int index = 0; index < wanted.size(); index++) {
            String found = difference(wanted.get(index), list.get(index), where + "[" + index + "]", saved);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    private static boolean same(Object expected, Object actual) {
        if (expected instanceof Number && (actual instanceof Number || actual instanceof String)) {
            return expected.toString().equals(actual.toString()); // int64 is a string in protobuf JSON
        }
        return expected.equals(actual);
    }

    static String shown(Object value) {
        if (value == null) {
            return "nothing";
        }
        return value instanceof String ? "\"" + value + "\"" : value.toString();
    }
}
