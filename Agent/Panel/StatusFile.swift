import FoundationEssentials
package import Posix

/// The file of the agent's runtime folder that says how the board is. Its user's alone; nothing of it has to outlive the power.
package struct StatusFile: Sendable {
    package let path: String
    private static let byteLimit = 256 << 10

    /// - Parameter folder: the agent's runtime folder.
    package init(in folder: String) { path = folder + "/status.json" }

    /// Written beside and renamed.
    package func write(_ status: BoardStatus) throws(SystemError) {
        // try?: a record of numbers and texts encodes.
        guard let text = try? JSONEncoder().encode(status) else { return }
        let draft = path + ".new"
        try FileTree.remove(draft)
        try FileTree.append(Array(text), to: draft)
        try FileTree.rename(draft, to: path)
    }

    /// - Returns: nil where there is none, or what is there is none.
    package func read() -> BoardStatus? {
        // try?: whoever reads it can do nothing about why it is not there.
        guard let file = try? RegularFile(path, upTo: Self.byteLimit, links: .refused) else { return nil }
        return try? JSONDecoder().decode(BoardStatus.self, from: Data(file.bytes))
    }
}
