import Foundation

/// Measures the sound of a recording, in windows of 100 ms.
package struct Tone: Sendable, CustomStringConvertible {
    package struct Window: Sendable {
        package let level: Double
        package let frequency: Double
    }

    package let windows: [Window]

    /// By the crossings of zero: of a pure tone there are two in each period.
    package init(recording path: String) async throws {
        let keys = (level: "lavfi.astats.1.RMS_level", crossings: "lavfi.astats.1.Zero_crossings_rate")
        let filter = "aresample=48000,asetnsamples=n=4800:p=0,astats=metadata=1:reset=1,ametadata=print:file=-"
        let answer = try await runTool(
            "ffmpeg", ["-v", "error", "-i", path, "-vn", "-af", filter, "-f", "null", "-"], mayFail: true)
        func values(_ key: String) -> [Double] {
            answer.text.split(separator: "\n").filter { $0.hasPrefix(key + "=") }.map { line in
                // "-inf" is digital silence.
                Double(line.dropFirst(key.count + 1)) ?? -.infinity
            }
        }
        windows = zip(values(keys.level), values(keys.crossings)).map { Window(level: $0, frequency: $1 * 24_000) }
    }

    /// From where this tone is heard for the first time to where it is heard last, how many windows have it, and how many there are.
    package func heard(_ hertz: Int, within tolerance: Double = 5, above decibels: Double = -30) -> (windows: Int, of: Int) {
        let has = windows.map { abs($0.frequency - Double(hertz)) <= tolerance && $0.level > decibels }
        guard let first = has.firstIndex(of: true), let last = has.lastIndex(of: true) else { return (0, 0) }
        return (has[first...last].count { $0 }, last - first + 1)
    }

    package var description: String {
        let middle = windows[windows.count / 4..<windows.count * 3 / 4]
        // As numbers with a point: of digital silence there is no whole one.
        return "\(Set(middle.map { "\($0.frequency.rounded()) Hz, \($0.level.rounded()) dB" }).sorted())"
    }
}
