import Crypto
import FoundationEssentials
import Glibc
import Posix

/// What was at some paths before a step made something there: enough to put it back. It lies in the journal, as JSON.
struct Before: Codable {
    enum Item: Codable {
        case noFile(String)
        /// Its content lies in a copy, whose name this is.
        case file(String, copy: String, mode: UInt32, user: UInt32, group: UInt32)
        /// Made only because something was to lie in it: it goes where nothing else does.
        case noFolderAbove(String)
        case noFolder(String)
        case folder(String, mode: UInt32, user: UInt32, group: UInt32)
    }

    /// What cannot be put back, since the journal has been written by something else.
    struct Damaged: Error, CustomStringConvertible {
        let description = "the journal does not say what was there before"
    }

    /// Where the copies of replaced files lie, 0700.
    static let copies = SitePaths.tool + "/before"

    private var items: [Item] = []

    /// Notes a file that will be made or replaced, with a copy of what it is now.
    mutating func note(file path: String, on machine: HostMachine) throws {
        noteAbove(path, try Self.missingAbove(path, on: machine))
        guard let found = try FileWork.look(machine.place(path)) else { return items.append(.noFile(path)) }
        guard found.kind == .file else { throw SystemError("open", EISDIR, on: "\(path), which is no file and would be replaced") }
        let folder = machine.place(Self.copies)
        try Folder.make(machine.place(SitePaths.tool))
        try FileWork.makeFolder(folder, FileWork.own, mode: 0o700)
        let copy = Hex.encode(randomBytes(8))
        try FileWork.copy(machine.place(path), to: "\(folder)/\(copy)", FileWork.own, mode: 0o600, links: .refused)
        items.append(.file(path, copy: copy, mode: found.mode, user: found.owner.user, group: found.owner.group))
    }

    /// Notes a folder that will be made, or given another owner or mode.
    mutating func note(folder path: String, on machine: HostMachine) throws {
        noteAbove(path, try Self.missingAbove(path, on: machine))
        switch try FileWork.look(machine.place(path)) {
        case nil: items.append(.noFolder(path))
        case let found? where found.kind == .folder:
            items.append(.folder(path, mode: found.mode, user: found.owner.user, group: found.owner.group))
        case _?: throw SystemError("mkdir", ENOTDIR, on: path)
        }
    }

    /// Puts back what was there, the last first; may be asked again.
    func restore(on machine: HostMachine) throws {
        for item in items.reversed() {
            switch item {
            case .noFile(let path): try FileWork.remove(machine.place(path))
            case .file(let path, let copy, let mode, let user, let group):
                let owner = FileWork.Owner(user: user, group: group)
                let kept = machine.place("\(Self.copies)/\(copy)")
                try FileWork.copy(kept, to: machine.place(path), owner, mode: mode, links: .refused)
            case .noFolderAbove(let path): try FileWork.removeEmpty(machine.place(path))
            case .noFolder(let path): try FileWork.removeTree(machine.place(path))
            case .folder(let path, let mode, let user, let group):
                // One that is gone meanwhile is not made again: nothing of ours is left in it.
                guard try FileWork.look(machine.place(path)) != nil else { continue }
                try FileWork.makeFolder(machine.place(path), FileWork.Owner(user: user, group: group), mode: mode)
            }
        }
    }

    var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    init() {}

    /// - Throws: `Damaged`.
    init(_ text: String) throws {
        do {
            self = try JSONDecoder().decode(Before.self, from: Data(text.utf8))
        } catch {
            throw Damaged()
        }
    }

    private mutating func noteAbove(_ path: String, _ missing: [String]) {
        for folder in missing where !isNoted(folder) { items.append(.noFolderAbove(folder)) }
    }

    private func isNoted(_ folder: String) -> Bool {
        items.contains { item in
            switch item {
            case .noFolderAbove(let noted), .noFolder(let noted): noted == folder
            default: false
            }
        }
    }

    /// The folders above a path that are not there, the highest first.
    private static func missingAbove(_ path: String, on machine: HostMachine) throws -> [String] {
        var missing: [String] = []
        var folder = UnixSocket.folder(of: path)
        while folder != "/", folder != ".", try FileWork.look(machine.place(folder)) == nil {
            missing.insert(folder, at: 0)
            folder = UnixSocket.folder(of: folder)
        }
        return missing
    }
}

extension FileWork {
    /// Whoever runs this: root, but in tests.
    static var own: Owner { Owner(user: geteuid(), group: getegid()) }
}
