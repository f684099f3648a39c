// How the agent tells the updater: a few lines in a file of its runtime folder, written anew each few seconds.

package import Posix
package import Releases

extension AgentReport {
    private static let header = "strata agent report 1"
    static let byteLimit = 16_384
    private static let nameLimit = 32

    /// - Parameter number: another one each time.
    package func bytes(number: Int) -> [UInt8] {
        var lines = [
            Self.header, "version \(version)", "process \(process)", "number \(number)", "broadcasting \(isBroadcasting ? "yes" : "no")",
            "control \(isControlReached ? "yes" : "no")",
        ]
        lines += Self.kept(openInputs).map { "input \($0)" }
        lines += Self.kept(liveLinks).map { "link \($0)" }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    private static func kept(_ names: Set<String>) -> [String] { Baseline(inputs: Array(names)).inputs }

    /// Reads what `bytes` writes: the program that has written it may be any.
    package static func read(_ bytes: [UInt8]) throws(ReleaseFault) -> (report: AgentReport, number: Int) {
        var reader = try LineReader(bytes, upTo: byteLimit, first: header)
        guard let version = ReleaseVersion(try reader.value("version")) else { throw reader.fault("a version expected") }
        let process = UInt64(try reader.number("process", upTo: .max))
        let number = Int(try reader.number("number", upTo: Int64(Int32.max)))
        let isBroadcasting = try reader.flag("broadcasting")
        let isControlReached = try reader.flag("control")
        let (inputs, links) = (try reader.all("input", atMost: nameLimit), try reader.all("link", atMost: nameLimit))
        let report = AgentReport(
            version: version, process: process, isBroadcasting: isBroadcasting, isControlReached: isControlReached,
            openInputs: Set(inputs), liveLinks: Set(links))
        try reader.finish(bytes, written: report.bytes(number: number))
        return (report, number)
    }
}

extension LineReader {
    fileprivate mutating func flag(_ word: String) throws(ReleaseFault) -> Bool {
        switch try value(word) {
        case "yes": return true
        case "no": return false
        default: throw fault("'\(word)' with yes or no expected")
        }
    }
}

/// The file that the agent writes and the updater reads. Whoever may write into the folder is believed: that is the agent's user.
package struct ReportFile: Sendable {
    package let path: String

    /// - Parameter folder: the agent's runtime folder.
    package init(in folder: String) { path = folder + "/report" }

    /// Written beside and renamed; nothing of it has to outlive the power.
    ///
    /// - Parameter number: another one each time, from 0.
    package func write(_ report: AgentReport, number: Int) throws(SystemError) {
        let draft = path + ".new"
        try FileTree.remove(draft)
        try FileTree.append(report.bytes(number: number % Int(Int32.max)), to: draft)
        try FileTree.rename(draft, to: path)
    }

    /// - Returns: nil where there is none.
    /// - Throws: `ReleaseFault` for what is no report, `SystemError`.
    package func read() throws -> (report: AgentReport, number: Int)? {
        guard case .file(let bytes, _)? = try FileTree.look(path) else { return nil }
        guard bytes <= AgentReport.byteLimit else { throw ReleaseFault.malformed(line: 0, "a report of \(bytes) bytes") }
        return try AgentReport.read(try FileTree.read(path, 0..<AgentReport.byteLimit))
    }
}

/// The release that a program lies in.
package enum ReleaseHome {
    /// By the manifest in the program's folder, or in one above it; nil where there is none.
    package static func version(of executable: String) -> ReleaseVersion? {
        var folder = executable[...]
        for _ in 0..<8 {
            guard let end = folder.lastIndex(of: "/"), end > folder.startIndex else { return nil }
            folder = folder[..<end]
            // try?: what cannot be read as a manifest is none.
            guard case .file(let bytes, _)? = try? FileTree.look("\(folder)/.release"), bytes <= ReleaseManifest.byteLimit,
                let text = try? FileTree.read("\(folder)/.release", 0..<bytes), let manifest = try? ReleaseManifest(bytes: text)
            else { continue }
            return manifest.version
        }
        return nil
    }
}
