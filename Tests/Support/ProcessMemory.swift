import Foundation

/// Resident memory of a process. Throws where it is gone. Source: proc_pid_status(5).
package func residentKilobytes(of pid: Int32) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }), let kilobytes = Int(line.filter(\.isNumber))
    else {
        throw SupportFailure("process \(pid) has no memory: it has ended")
    }
    return kilobytes
}
