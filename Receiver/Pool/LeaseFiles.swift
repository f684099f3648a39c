import Crypto
import FoundationEssentials
import Glibc
import Posix
import Service
import Units
import Wire

/// What a pool leaves for its successor.
///
/// The start of each lease, with its keys, lies in the runtime folder only (0600, in memory on a usual system, gone after
/// a reboot); the ports, which are no secret, in the state folder. One pool at a time holds the folder.
struct LeaseFiles: Sendable {
    private let runtime: String
    private let ports: String
    private let lock: FolderLock

    /// - Throws: `SystemError`; EWOULDBLOCK where another pool holds the folder.
    init(runtime: String, state: String) throws(SystemError) {
        self.runtime = runtime
        ports = state + "/ports.json"
        for folder in [state, UnixSocket.folder(of: runtime), runtime] where mkdir(folder, 0o700) != 0 && errno != EEXIST {
            throw SystemError("mkdir", on: folder)
        }
        lock = try FolderLock(runtime)
    }

    /// Gives the folder up, at once, whoever still holds this value.
    func unlock() { lock.release() }

    func socket(of lease: LeaseID) -> String { "\(runtime)/\(lease.text).sock" }

    func removeSocket(of lease: LeaseID) {
        for path in [socket(of: lease), preview(of: lease)] {
            unlink(path)
            unlink(path + UnixSocket.earlySuffix)
        }
    }

    /// Where the lease's receiver gives its preview.
    func preview(of lease: LeaseID) -> String { ChildSocket.previewPath(beside: socket(of: lease)) }

    func save(_ start: ReceiverStart) throws {
        try KeyFile.write(String(decoding: JSONEncoder().encode(start), as: UTF8.self), to: startFile(start.spec.lease))
    }

    func remove(_ lease: LeaseID) { unlink(startFile(lease)) }

    /// Every start that can be read, and the names of the files that cannot.
    func starts() throws(SystemError) -> (starts: [ReceiverStart], unreadable: [String]) {
        var starts: [ReceiverStart] = []
        var unreadable: [String] = []
        for name in try names() where name.hasSuffix(".json") {
            // The caller reports the name; a file of a newer or a broken pool must not stop this one.
            if let text = try? KeyFile.read("\(runtime)/\(name)"),
                let start = try? JSONDecoder().decode(ReceiverStart.self, from: Data(text.utf8))
            {
                starts.append(start)
            } else {
                unreadable.append(name)
            }
        }
        return (starts, unreadable)
    }

    /// Empty where there is no file; its loss costs only the same ports after a reboot.
    func loadPorts() -> [LeaseID: Int] {
        guard let text = try? KeyFile.read(ports), let named = try? JSONDecoder().decode([String: Int].self, from: Data(text.utf8)) else {
            return [:]
        }
        return Dictionary(named.compactMap { name, port in LeaseID(name).map { ($0, port) } }, uniquingKeysWith: { first, _ in first })
    }

    func savePorts(_ ports: [LeaseID: Int]) throws {
        let named = Dictionary(uniqueKeysWithValues: ports.map { ($0.key.text, $0.value) })
        try KeyFile.write(String(decoding: JSONEncoder().encode(named), as: UTF8.self), to: self.ports)
    }

    private func startFile(_ lease: LeaseID) -> String { "\(runtime)/\(lease.text).json" }

    private func names() throws(SystemError) -> [String] {
        guard let folder = opendir(runtime) else { throw SystemError("opendir", on: runtime) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self)) })
        }
        return names
    }
}
