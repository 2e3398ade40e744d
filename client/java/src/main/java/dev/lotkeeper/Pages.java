package dev.lotkeeper;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * A long answer, page by page, as if it were one: the server gives at most 1000 of anything at once, and whoever forgets the
 * token reads the first page and believes it is all. A page is fetched when the iteration reaches it, and the timeout is for each.
 *
 * @param <V> what is listed
 * @param <P> the answer that one page is
 */
public final class Pages<V, P extends Message> implements Iterable<V> {
    private static final int PAGE_SIZE = 1000; // the most a server gives at once: the fewest round trips

    private final Function<String, P> fetch; // by page token
    private final Function<P, List<V>> items;
    private P newest; // null before the first

    @SuppressWarnings("unchecked") // a message's builder builds its own class
    <Q extends Message> Pages(Function<Q, P> carryOut, Q request, Function<P, List<V>> items) {
        FieldDescriptor size = request.getDescriptorForType().findFieldByName("page_size");
        FieldDescriptor token = request.getDescriptorForType().findFieldByName("page_token");
        Message.Builder asked = request.toBuilder();
        if (request.getField(size).equals(0)) {
            asked.setField(size, PAGE_SIZE);
        }
        Message first = asked.build();
        this.fetch = after -> carryOut.apply((Q) (after.isEmpty() ? first : first.toBuilder().setField(token, after).build()));
        this.items = items;
    }

    /** What is listed, from the first page on. */
    @Override
    public Iterator<V> iterator() {
        return new Iterator<>() {
            private Iterator<V> fetched = List.<V>of().iterator();
            private String next = ""; // token of the next page; null after the last

            @Override
            public boolean hasNext() {
                while (!fetched.hasNext() && next != null) {
                    P page = read(next);
                    String following = (String) page.getField(page.getDescriptorForType().findFieldByName("next_page_token"));
                    next = following.isEmpty() ? null : following;
                    fetched = items.apply(page).iterator();
                }
                return fetched.hasNext();
            }

            @Override
            public V next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                return fetched.next();
            }
        };
    }

    /** What is listed, as a stream. */
    public Stream<V> stream() {
        return StreamSupport.stream(spliterator(), false);
    }

    /** The newest page that was read, with sums that hold for the whole list; reads the first one if need be. */
    public P page() {
        return newest == null ? read("") : newest;
    }

    private P read(String token) {
        newest = fetch.apply(token);
        return newest;
    }
}
