import Posix

/// A file that an installation puts somewhere.
struct PlacedFile: Sendable {
    enum Content: Sendable {
        case file(String)
        case bytes([UInt8])
    }

    let content: Content
    /// On the machine that is installed on.
    let path: String
    let ownership: Ownership
    let mode: UInt32

    init(_ content: Content, _ path: String, _ ownership: Ownership = .root, mode: UInt32 = 0o644) {
        self.content = content
        self.path = path
        self.ownership = ownership
        self.mode = mode
    }

    /// Whether it is there with this content, owner and mode.
    func isThere(on machine: HostMachine) throws -> Bool {
        let place = machine.place(path)
        guard let found = try FileWork.look(place), found.kind == .file, found.mode == mode else { return false }
        let accounts = try machine.accounts()
        // Without its user it is not there as it should be.
        guard let owner = try? accounts.owner(ownership), owner == found.owner else { return false }
        return try hasContent(on: machine)
    }

    func hasContent(on machine: HostMachine) throws -> Bool {
        switch content {
        case .file(let source): try FileWork.isSame(source, as: machine.place(path))
        case .bytes(let bytes): try FileWork.read(machine.place(path)) == bytes
        }
    }

    func put(on machine: HostMachine) throws {
        let place = machine.place(path)
        try Folder.make(UnixSocket.folder(of: place))
        let owner = try machine.accounts().owner(ownership)
        switch content {
        case .file(let source): try FileWork.copy(source, to: place, owner, mode: mode)
        case .bytes(let bytes): try FileWork.write(bytes, to: place, owner, mode: mode)
        }
    }
}

/// A folder that an installation makes.
struct PlacedFolder: Sendable {
    let path: String
    let ownership: Ownership
    let mode: UInt32

    init(_ path: String, _ ownership: Ownership = .root, mode: UInt32) {
        self.path = path
        self.ownership = ownership
        self.mode = mode
    }

    func isThere(on machine: HostMachine) throws -> Bool {
        guard let found = try FileWork.look(machine.place(path)), found.kind == .folder, found.mode == mode else { return false }
        // Without its user it is not there as it should be.
        guard let owner = try? machine.accounts().owner(ownership) else { return false }
        return owner == found.owner
    }

    func put(on machine: HostMachine) throws {
        try Folder.make(UnixSocket.folder(of: machine.place(path)))
        try FileWork.makeFolder(machine.place(path), try machine.accounts().owner(ownership), mode: mode)
    }
}
