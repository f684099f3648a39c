import CPosix
import Glibc

/// A folder that is open, from which regular files are read by their names and nothing outside is ever reached.
package struct Folder: ~Copyable, Sendable {
    private let descriptor: Descriptor
    /// For messages.
    package let path: String

    /// - Throws: where the path is no folder or cannot be read.
    package init(_ path: String) throws(SystemError) {
        let raw = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        descriptor = Descriptor(adopting: raw)
        self.path = path
    }

    /// Makes a folder and what is missing above it (0755); one that is there stays as it is.
    ///
    /// - Throws: ENOTDIR where something else has its name.
    package static func make(_ path: String) throws(SystemError) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { throw SystemError("mkdir", ENOTDIR, on: path) }
            return
        }
        let above = UnixSocket.folder(of: path)
        if errno == ENOENT, above != path { try make(above) }
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw SystemError("mkdir", on: path) }
    }

    /// Opens a regular file for reading: below the folder, through no symbolic link.
    ///
    /// - Throws: EXDEV for a name that leads out, ELOOP for a link, ENOTDIR for one on the way, EINVAL for what is no regular file.
    package func open(_ name: String) throws(SystemError) -> Descriptor {
        let raw = cposix_open_beneath(descriptor.raw, name)
        guard raw >= 0 else { throw SystemError("openat", on: name) }
        let file = Descriptor(adopting: raw)
        var status = stat()
        guard fstat(raw, &status) == 0 else { throw SystemError("fstat", on: name) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError("openat", EINVAL, on: name) }
        return file
    }

    /// Names of the regular files in it, sorted; hidden ones, links and folders are left out.
    package func files() throws(SystemError) -> [String] {
        // A descriptor of its own, with its own position: closedir closes it.
        let raw = openat(descriptor.raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard raw >= 0, let stream = fdopendir(raw) else { throw SystemError("fdopendir", on: path) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let name, !name.hasPrefix(".") else { continue }
            var status = stat()
            guard fstatat(raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            names.append(name)
        }
        return names.sorted()
    }
}
