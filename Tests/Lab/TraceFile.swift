import Foundation

/// A link as it was recorded: a file of the times at which one packet of up to 1500 bytes could leave.
///
/// A line is a whole number of milliseconds, none less than the one before; the same number twice is two packets. After
/// the last one the file begins anew, with that time as its period. Source: mm-link(1) of mahimahi.
package enum TraceFile {
    package struct Fault: Error, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// - Throws: `Fault`, with the line where one is at fault.
    package static func read(_ path: String) throws -> [Int] {
        guard let data = FileManager.default.contents(atPath: path) else { throw Fault(description: "\(path) cannot be read") }
        do throws(Fault) {
            return try parse(String(decoding: data, as: UTF8.self))
        } catch {
            throw Fault(description: "\(path): \(error)")
        }
    }

    package static func parse(_ text: String) throws(Fault) -> [Int] {
        var times: [Int] = []
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for (number, line) in lines.enumerated() {
            guard line.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let time = Int(line), time >= times.last ?? 0 else {
                throw Fault(
                    description: "line \(number + 1) is '\(line)': expected a whole number of milliseconds, at least \(times.last ?? 0)")
            }
            times.append(time)
        }
        guard isTrace(times) else { throw Fault(description: "expected lines, the last one over 0 ms: it is the period") }
        return times
    }

    static func isTrace(_ times: [Int]) -> Bool { !times.isEmpty && times[0] >= 0 && times.last != 0 && times == times.sorted() }
}
