package dev.lotkeeper.conformance;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What {@code $name} stands for. */
final class Names {
    private static final String LETTERS = "bcdfghjklmnpqrstvwxyz"; // no vowels: PERP or USD in a symbol would be read as a contract
    private static final int LENGTH = 6;
    private static final Pattern NAME =
            Pattern.compile("\\$(?:\\$|(?<bare>[A-Za-z_][A-Za-z0-9_]*)|\\{(?<braced>[A-Za-z_][A-Za-z0-9_]*)})");

    private Names() {}

    /** The names that one execution of a scenario begins with. */
    static Map<String, Object> fresh() {
        SecureRandom random = new SecureRandom();
        StringBuilder letters = new StringBuilder();
        while (letters.length() < LENGTH) {
            letters.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
        }
        String run = letters.toString();
        String capitals = run.toUpperCase(java.util.Locale.ROOT);
        Map<String, Object> names = new LinkedHashMap<>();
        names.put("run", run);
        names.put("RUN", capitals);
        names.put("portfolio", "c-" + run);
        names.put("A", capitals + "-A");
        names.put("B", capitals + "-B");
        return names;
    }

    /** The names in a value, at any depth. */
    static Set<String> used(Object value) {
        Set<String> used = new TreeSet<>();
        if (value instanceof String text) {
            NAME.matcher(text).results().filter(found -> !found.group().equals("$$")).forEach(found -> used.add(name(found.group())));
        } else if (value instanceof Map<?, ?> map) {
            map.forEach((key, part) -> {
                used.addAll(used(key));
                used.addAll(used(part));
            });
        } else if (value instanceof List<?> list) {
            list.forEach(part -> used.addAll(used(part)));
        }
        return used;
    }

    /**
     * A value with what its names stand for.
     *
     * @throws Unmet no step has saved one of them
     */
    static Object filled(Object value, Map<String, Object> names) {
        if (value instanceof String text) {
            return filledText(text, names);
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> filled = new LinkedHashMap<>();
            map.forEach((key, part) -> filled.put(String.valueOf(filled(key, names)), filled(part, names)));
            return filled;
        }
        if (value instanceof List<?> list) {
            List<Object> filled = new ArrayList<>();
            list.forEach(part -> filled.add(filled(part, names)));
            return filled;
        }
        return value;
    }

    private static Object filledText(String text, Map<String, Object> names) {
        Matcher found = NAME.matcher(text);
        if (found.matches() && !text.equals("$$")) {
            return known(name(text), names);
        }
        return found.reset().replaceAll(each -> Matcher.quoteReplacement(
                each.group().equals("$$") ? "$" : String.valueOf(known(name(each.group()), names))));
    }

    private static Object known(String name, Map<String, Object> names) {
        if (!names.containsKey(name)) {
            throw new Unmet("$" + name + ": no step before this one has saved it; there are " + String.join(", ", names.keySet()));
        }
        return names.get(name);
    }

    private static String name(String written) {
        return written.startsWith("${") ? written.substring(2, written.length() - 1) : written.substring(1);
    }
}
