import Glibc
import Posix

@testable import Updating

/// A disk in memory that dies at a change of the test's choice, and knows what of it would be there after a loss of power: of a file the
/// bytes that were there at its last `sync`, of a folder the names that were.
final class PowerDisk: SlotDisk {
    /// When the program is killed.
    enum Moment: CaseIterable, Sendable {
        /// The change is not made.
        case before
        /// Half of it is: half of the bytes, half of the names.
        case during
        /// It is made, and nobody hears of it.
        case after
    }

    enum Mishap: Sendable {
        /// The program ends with this change, the first being 0, and all that it has changed stays.
        case kill(at: Int, Moment)
        /// So does the machine: what was not synced is gone.
        case powerCut(at: Int, Moment)
        /// The disk is full meanwhile: what takes room fails, and the program goes on.
        case full(Range<Int>)
    }

    private struct Node {
        enum Kind: Equatable {
            case folder
            case file
            case link(String)
        }

        var kind: Kind
        var names: [String: Int] = [:]
        var bytes: [UInt8] = []
        var mode: UInt32 = 0o600
        var syncedNames: [String: Int] = [:]
        var syncedBytes: [UInt8] = []
        var syncedMode: UInt32 = 0o600
    }

    private struct State {
        var nodes: [Int: Node] = [0: Node(kind: .folder)]
        var mishap: Mishap?
        var count = 0
        var isDead = false
    }

    private let state = Guarded(State())

    /// Whether the program has ended.
    var isDead: Bool { state.withLock { $0.isDead } }
    /// Changes since the mishap was set.
    var changes: Int { state.withLock { $0.count } }

    /// The program is started again, and all goes well from here on but for this.
    func begin(_ mishap: Mishap? = nil) {
        state.withLock { ($0.mishap, $0.count, $0.isDead) = (mishap, 0, false) }
    }

    /// Has everything on the disk.
    func syncAll() {
        state.withLock { state in
            for id in state.nodes.keys { Self.sync(&state, id) }
        }
    }

    /// Damages a file as a worn card does.
    func spoil(_ path: String) {
        state.withLock { state in
            guard let id = Self.find(state, path) else { return }
            state.nodes[id]?.bytes[0] ^= 1
            Self.sync(&state, id)
        }
    }

    func look(_ path: String) throws(SystemError) -> FileTree.Entry? {
        try state.withLock { state throws(SystemError) -> FileTree.Entry? in
            guard !state.isDead else { throw SystemError("look", EIO, on: path) }
            guard let id = Self.find(state, path), let node = state.nodes[id] else { return nil }
            switch node.kind {
            case .folder: return .folder
            case .file: return .file(bytes: node.bytes.count, mode: node.mode)
            case .link(let target): return .link(target: target)
            }
        }
    }

    func read(_ path: String, _ range: Range<Int>) throws(SystemError) -> [UInt8] {
        try state.withLock { state throws(SystemError) -> [UInt8] in
            guard !state.isDead, let id = Self.find(state, path), let node = state.nodes[id] else {
                throw SystemError("read", EIO, on: path)
            }
            return Array(node.bytes[min(range.lowerBound, node.bytes.count)..<min(range.upperBound, node.bytes.count)])
        }
    }

    func change(_ change: DiskChange) throws(SystemError) {
        try state.withLock { state throws(SystemError) in
            guard !state.isDead else { throw SystemError("change", EIO) }
            defer { state.count += 1 }
            switch state.mishap {
            case .kill(state.count, let moment)?: try Self.die(&state, change, moment, losing: false)
            case .powerCut(state.count, let moment)?: try Self.die(&state, change, moment, losing: true)
            case .full(let range)? where range.contains(state.count) && Self.takesRoom(change): throw SystemError("change", ENOSPC)
            default: try Self.make(&state, change)
            }
        }
    }

    private static func takesRoom(_ change: DiskChange) -> Bool {
        switch change {
        case .append, .makeFolder, .makeLink: true
        case .setMode, .setTime, .rename, .exchange, .sync, .remove: false
        }
    }

    private static func die(_ state: inout State, _ change: DiskChange, _ moment: Moment, losing: Bool) throws(SystemError) {
        switch moment {
        case .before: break
        case .during: try makeHalf(&state, change)
        case .after: try make(&state, change)
        }
        state.isDead = true
        if losing {
            for (id, node) in state.nodes {
                state.nodes[id]?.names = node.syncedNames
                state.nodes[id]?.bytes = node.syncedBytes
                state.nodes[id]?.mode = node.syncedMode
            }
        }
        throw SystemError("change", EIO)
    }

    private static func makeHalf(_ state: inout State, _ change: DiskChange) throws(SystemError) {
        switch change {
        case .append(let bytes, let path): try make(&state, .append(Array(bytes.prefix(bytes.count / 2)), to: path))
        case .remove(let path):
            guard let id = find(state, path), let node = state.nodes[id], node.kind == .folder else { return }
            for name in node.names.keys.sorted().prefix((node.names.count + 1) / 2) { state.nodes[id]?.names[name] = nil }
        // The others are one step.
        default: break
        }
    }

    private static func make(_ state: inout State, _ change: DiskChange) throws(SystemError) {
        switch change {
        case .append(let bytes, let path):
            let file = if let known = find(state, path) { known } else { try add(&state, Node(kind: .file), path) }
            state.nodes[file]?.bytes += bytes
        case .makeFolder(let path): _ = try add(&state, Node(kind: .folder), path)
        case .makeLink(let path, let target): _ = try add(&state, Node(kind: .link(target)), path)
        case .setMode(let mode, let path):
            let file = try id(state, path)
            state.nodes[file]?.mode = mode
        // Times are the system's own disk's to show.
        case .setTime(_, let path): _ = try id(state, path)
        case .rename(let path, let other):
            let moved = try id(state, path)
            try set(&state, path, to: nil)
            try set(&state, other, to: moved)
        case .exchange(let path, let other):
            let (one, two) = (try id(state, path), try id(state, other))
            try set(&state, path, to: two)
            try set(&state, other, to: one)
        case .sync(let path):
            let node = try id(state, path)
            sync(&state, node)
        case .remove(let path): if find(state, path) != nil { try set(&state, path, to: nil) }
        }
    }

    private static func sync(_ state: inout State, _ id: Int) {
        guard let node = state.nodes[id] else { return }
        state.nodes[id]?.syncedNames = node.names
        state.nodes[id]?.syncedBytes = node.bytes
        state.nodes[id]?.syncedMode = node.mode
    }

    private static func find(_ state: State, _ path: String) -> Int? {
        var id = 0
        for name in path.split(separator: "/") {
            guard let next = state.nodes[id]?.names[String(name)] else { return nil }
            id = next
        }
        return id
    }

    private static func id(_ state: State, _ path: String) throws(SystemError) -> Int {
        guard let id = find(state, path) else { throw SystemError("find", ENOENT, on: path) }
        return id
    }

    private static func add(_ state: inout State, _ node: Node, _ path: String) throws(SystemError) -> Int {
        guard find(state, path) == nil else { throw SystemError("add", EEXIST, on: path) }
        let id = state.nodes.count
        state.nodes[id] = node
        try set(&state, path, to: id)
        return id
    }

    /// What a name stands for from now on.
    private static func set(_ state: inout State, _ path: String, to id: Int?) throws(SystemError) {
        let names = path.split(separator: "/").map(String.init)
        guard let name = names.last else { throw SystemError("set", EINVAL, on: path) }
        let folder = try Self.id(state, names.dropLast().joined(separator: "/"))
        state.nodes[folder]?.names[name] = id
    }
}
