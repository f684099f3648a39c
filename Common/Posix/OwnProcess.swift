import CPosix

/// Runs `body` while the calling thread has another name, cut to 15 bytes, and gives it its own back.
///
/// A thread inherits the name of the one that starts it (clone(2)): so the threads that a library starts can be told from ours
/// in `top`, in a core file and in a bench.
package func naming<Result, Failure>(
    startedThreads name: String, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    let own = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16) { buffer in
        guard let bytes = buffer.baseAddress else { return "" }
        cposix_thread_name(bytes)
        return String(cString: bytes)
    }
    cposix_name_thread(name)
    defer { cposix_name_thread(own) }
    return try body()
}

/// Has all threads share what they free, instead of up to eight arenas a core that each keep it for their own threads (glibc).
///
/// For a program whose threads come and go with large buffers, and which allocates some thousand times a second, not millions.
/// Before the first thread starts.
package func shareFreeMemory() { cposix_one_arena() }

/// Has what is that large given back to the system as soon as it is freed. By itself glibc raises its limit, to 32 MiB, with each large buffer that is
/// freed, and those that follow then lie among small ones that stay. For a program that uses large buffers seldom.
package func releaseAtOnce(from bytes: Int32) { cposix_map_from(bytes) }

/// Gives memory that is free back to the system; takes some milliseconds, in which other threads may wait for theirs.
package func releaseFreeMemory() { cposix_trim_memory() }
