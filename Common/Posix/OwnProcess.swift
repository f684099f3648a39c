import CPosix
import Glibc

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

/// What a process that takes foreign bytes apart may still use.
package struct Bounds: Sendable {
    /// Of heap and private mappings.
    package var memoryBytes: Int
    /// After which the kernel ends it.
    package var processorSeconds: Int
    /// Of each file that it writes.
    package var fileBytes: Int

    package init(memoryBytes: Int, processorSeconds: Int, fileBytes: Int) {
        self.memoryBytes = memoryBytes
        self.processorSeconds = processorSeconds
        self.fileBytes = fileBytes
    }
}

/// Takes everything else from this process, for good: from here on it reads, writes and closes what it has open, takes memory, and ends.
/// Threads that it has go on under the same; there will be no others.
///
/// - Throws: `SystemError`; ENOSYS on machines other than x86-64 and arm64. The process may be half confined then: it is to end.
package func confine(_ bounds: Bounds) throws(SystemError) {
    var plain = cposix_bounds(
        memory_bytes: UInt64(bounds.memoryBytes), processor_seconds: UInt64(bounds.processorSeconds), file_bytes: UInt64(bounds.fileBytes))
    guard cposix_confine(&plain) == 0 else { throw SystemError("seccomp") }
}
