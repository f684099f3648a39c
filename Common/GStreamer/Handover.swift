import Synchronization

/// Orders what was made before a context was given to the library before what the library's threads do with it.
///
/// GLib's locks do that already. But they are futexes of its own, and ThreadSanitizer, which sees only pthread's and what is compiled
/// for it, takes a thread's first look at any context for a race. This is what it sees instead of a suppression, which would hide
/// every race in all that the library calls. It costs a load for each call.
enum Handover {
    private static let given = Atomic(0)

    /// Just before a context is given away.
    static func give() { given.wrappingAdd(1, ordering: .releasing) }

    /// First in each function that the library calls with it.
    static func take() { _ = given.load(ordering: .acquiring) }
}
