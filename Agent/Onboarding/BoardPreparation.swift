import Boards
import Crypto
import Glibc
import Posix
import Units

/// Takes a board's file from its boot partition, once: sets up its network, hands its token to the agent, and removes the file.
///
/// By root, at each start of the board before the agent, and without a network. The power may go at any moment, and the next start goes on:
///
/// | what is on the disk | what the next start does |
/// | --- | --- |
/// | the file | all of it, as if nothing had been done |
/// | the file, and its token in the state folder | the same: both are written over with the same bytes |
/// | the file under its second name | removes that: the token is in the state folder for certain |
/// | neither | nothing |
package struct BoardPreparation {
    /// What can be cut off.
    package enum Step: Sendable, CaseIterable { case network, variables, token, setAside, erase }

    package enum Outcome: Hashable, Sendable {
        /// No folder has a file.
        case nothing
        /// - Parameter notes: what of it could not be done, for people.
        case taken(server: String, notes: [String])
        /// It holds something else, and stays.
        case refused(reason: String)
    }

    /// Where boot partitions of Debian's boards lie, and where cloud-init writes.
    package static let usualFolders = ["/boot/firmware", "/boot", "/etc/strata"]
    static let takenName = "strata-board.taken"
    /// Tells whoever puts the card into another machine what became of it.
    static let resultName = "strata-board-result.txt"

    private let folders: [String]
    private let state: String
    private let root: String
    private let owner: FileOwner?
    private let before: (Step) throws -> Void

    /// - Parameters:
    ///   - folders: in which the file is looked for, in this order.
    ///   - state: the agent's state folder.
    ///   - root: below which the network's files lie; "" for the machine itself.
    ///   - owner: the agent's user; nil for the caller.
    ///   - before: called before each step; what it throws cuts off there.
    package init(
        folders: [String], state: String, root: String = "", owner: FileOwner? = nil, before: @escaping (Step) throws -> Void = { _ in }
    ) {
        self.folders = folders
        self.state = state
        self.root = root
        self.owner = owner
        self.before = before
    }

    /// - Throws: `SystemError`, `CryptoError`: nothing is lost, and the next start tries again.
    package func run() throws -> Outcome {
        for folder in folders {
            if try FileTree.look("\(folder)/\(Self.takenName)") != nil { try erase(folder) }
            let path = "\(folder)/\(BoardFile.name)"
            guard case .file? = try FileTree.look(path) else { continue }
            let outcome = try take(path, in: folder)
            tell(outcome, in: folder)
            return outcome
        }
        return .nothing
    }

    private func take(_ path: String, in folder: String) throws -> Outcome {
        let file: BoardFile
        do {
            file = try Self.read(path)
        } catch {
            return .refused(reason: "\(error)")
        }
        try before(.network)
        let notes = try setUp(file.network)
        try before(.variables)
        if let text = NetworkProfile.variables(file) {
            try Folder.make("\(root)/etc/strata")
            try KeyFile.write(text, to: root + NetworkProfile.variablesFile)
            try ErasedFile.sweep(root + NetworkProfile.variablesFile)
        }
        try before(.token)
        try PendingEnrollment.write(file, state: state, owner: owner)
        try before(.setAside)
        try FileTree.rename(path, to: "\(folder)/\(Self.takenName)")
        try FileTree.sync(folder + "/.")
        try erase(folder)
        return .taken(server: file.servers[0].text, notes: notes)
    }

    private func erase(_ folder: String) throws {
        try before(.erase)
        try ErasedFile.erase("\(folder)/\(Self.takenName)")
    }

    private static func read(_ path: String) throws -> BoardFile {
        let bytes = try RegularFile(path, upTo: BoardFile.byteLimit, links: .refused).bytes
        guard let text = String(validating: bytes, as: UTF8.self) else { throw SystemError("read", EILSEQ, on: path) }
        return try BoardFile(text, source: BoardFile.name)
    }

    /// - Returns: what cannot be set up on this board.
    private func setUp(_ network: BoardNetwork) throws -> [String] {
        let connections = NetworkProfile.connections(network)
        guard !connections.isEmpty else { return [] }
        guard case .folder? = try FileTree.look(root + NetworkProfile.folder) else {
            return ["this board has no NetworkManager: its wireless network or its address was not set up"]
        }
        for connection in connections {
            let path = "\(root)\(NetworkProfile.folder)/\(connection.name)"
            try KeyFile.write(connection.text, to: path)
            try ErasedFile.sweep(path)
        }
        return []
    }

    private func tell(_ outcome: Outcome, in folder: String) {
        let text: String
        switch outcome {
        case .nothing: return
        case .taken(let server, let notes):
            text = (["The board has taken \(BoardFile.name) and enrolls at \(server)."] + notes).joined(separator: "\n")
        case .refused(let reason): text = "The board has not taken \(BoardFile.name):\n\(reason)"
        }
        let path = "\(folder)/\(Self.resultName)"
        // try?: it is for a person who looks for it; the journal has the same.
        try? FileTree.remove(path)
        try? FileTree.append(Array((text.escaped(but: ["\n"]) + "\n").utf8), to: path)
    }
}
