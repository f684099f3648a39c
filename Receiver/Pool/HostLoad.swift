import Glibc

/// How busy this host's processors were lately. Source: proc_stat(5).
struct HostLoad: Equatable {
    private struct Sample: Equatable {
        let idle: Int
        let all: Int
    }

    private var samples: [Sample] = []
    /// Samples that count, one each second: a start takes longer to cost what it will.
    private static let window = 10

    /// Takes what `/proc/stat` says, once a second; nothing where it does not.
    mutating func note(_ text: String) {
        guard let sample = Self.sample(text) else { return }
        samples.append(sample)
        if samples.count > Self.window { samples.removeFirst() }
    }

    /// Percent of all processors over the last ten seconds; nil before there was a look.
    ///
    /// - Parameter text: what `/proc/stat` says at this moment.
    func percent(_ text: String?) -> Int? {
        guard let now = text.flatMap(Self.sample), let first = samples.first, now.all > first.all else { return nil }
        return 100 - 100 * (now.idle - first.idle) / (now.all - first.all)
    }

    private static func sample(_ text: String) -> Sample? {
        guard let line = text.split(separator: "\n").first, line.hasPrefix("cpu ") else { return nil }
        let times = line.split(separator: " ").dropFirst().prefix(8).compactMap { Int($0) }
        // user, nice, system, idle, iowait, irq, softirq, steal.
        return times.count == 8 ? Sample(idle: times[3] + times[4], all: times.reduce(0, +)) : nil
    }

    /// What the system says now; nil where it is hidden from this process.
    static func now() -> String? {
        guard let file = fopen("/proc/stat", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 512)
        guard fgets(&line, CInt(line.count), file) != nil else { return nil }
        return String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
