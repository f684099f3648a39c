import Glibc
import Posix
import Units
import Wire

/// The configured folder of media files: what is in it, and the only way to open one. Names come from control and are hostile.
enum ClipFolder {
    /// The container of a name, by its ending; nil for any other file, and for a name that is a path or does not show what it says.
    static func container(of name: String) -> Clip.Container? {
        guard !name.contains("/"), name.isPlain, !name.hasPrefix("."), let dot = name.lastIndex(of: ".") else { return nil }
        return Clip.Container(rawValue: name[name.index(after: dot)...].lowercased())
    }

    /// - Throws: where the folder cannot be read.
    static func inputs(of path: String) throws(SystemError) -> [Input] {
        try Folder(path).files().compactMap { name in
            guard let container = container(of: name) else { return nil }
            return Input(id: "file:\(name)", kind: .file, name: name, media: container.isSoundOnly ? .audio : .both)
        }
    }

    static func open(_ name: String, in path: String) throws(InputFault) -> Clip {
        let id = "file:\(name)"
        guard let container = container(of: name) else { throw .unknown(id) }
        do {
            return Clip(id: id, container: container, descriptor: try Folder(path).open(name))
        } catch {
            // ENOENT is a choice that was never there; ELOOP a link, EXDEV a way out, EINVAL no regular file.
            throw error.code == ENOENT ? .unknown(id) : .refused(id, error)
        }
    }
}
