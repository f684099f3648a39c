import Glibc

/// What this process takes of its machine. Source: proc(5), getrusage(2).
package struct ProcessUsage: Sendable, Hashable {
    /// User and system together, of all threads.
    package let processorSeconds: Double
    package let residentBytes: Int
    package let openDescriptors: Int

    /// nil where /proc is not mounted.
    package static var own: ProcessUsage? {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0, let pages = residentPages, let descriptors = descriptors else {
            return nil
        }
        let seconds = [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
        return ProcessUsage(
            processorSeconds: seconds, residentBytes: pages * Int(sysconf(Int32(_SC_PAGESIZE))), openDescriptors: descriptors)
    }

    /// The second number of /proc/self/statm.
    private static var residentPages: Int? {
        let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = read(descriptor, &bytes, bytes.count)
        let words = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
        return words.count > 1 ? Int(words[1]) : nil
    }

    /// Less the one that counts them, and `.` and `..`.
    private static var descriptors: Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = -3
        while readdir(folder) != nil { count += 1 }
        return count
    }
}
