import Posix

/// Small files of the updater's, each written so that a crash leaves the old content or the new.
enum KeptFile {
    /// nil where there is none; through no link.
    static func read(_ path: String, upTo limit: Int) throws(RegularFile.Fault) -> [UInt8]? {
        do throws(RegularFile.Fault) {
            return try RegularFile(path, upTo: limit, links: .refused).bytes
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    /// Is on the disk when it returns. The folder must be there, and nobody else's: what has the draft's name goes.
    static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o600) throws(SystemError) {
        let draft = path + ".strata-new"
        try FileTree.remove(draft)
        try FileTree.makeFile(draft, mode: mode)
        try FileTree.append(bytes, to: draft)
        try FileTree.sync(draft)
        try FileTree.rename(draft, to: path)
        // The folder itself, where its name is a link.
        try FileTree.sync(UnixSocket.folder(of: path) + "/.")
    }
}

/// What a run has done that its steps cannot see by looking, a file each: gone with the run.
struct UpgradeMarks: Sendable {
    enum Mark: String, CaseIterable, Sendable {
        /// What ran before anything was changed, a line each.
        case baseline
        /// A service was started anew, or may have been, since the link leads elsewhere.
        case restarted
        /// The new control has answered somebody.
        case answered
        /// The database is the copy that was named.
        case database
        /// Control, the pool and what they have started have shown that they work.
        case control, pool, workers
    }

    /// On this machine.
    let folder: String

    private static let limit = 1 << 20

    private func path(_ mark: Mark) -> String { "\(folder)/mark.\(mark.rawValue)" }

    func has(_ mark: Mark) throws -> Bool { try FileTree.look(path(mark)) != nil }

    func lines(_ mark: Mark) throws -> [String] {
        let bytes = try KeptFile.read(path(mark), upTo: Self.limit) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    func set(_ mark: Mark, _ lines: [String] = []) throws {
        try KeptFile.write(Array(lines.map { $0 + "\n" }.joined().utf8), to: path(mark))
    }

    func clear() throws { for mark in Mark.allCases { try FileTree.remove(path(mark)) } }
}
