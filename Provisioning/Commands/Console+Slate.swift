import FoundationEssentials
import Wire

/// The picture that is shown while a sender is silent.
extension Console {
    private static let route = "/api/v1/organization/slate"

    func slate(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        switch try arguments.word("set, get or remove") {
        case "set":
            let picture = try Self.picture(try arguments.required("file"))
            try arguments.finish()
            try await client.upload(picture.bytes, "image/\(picture.kind.rawValue)", to: Self.route)
        case "get":
            let file = try arguments.required("output")
            try arguments.finish()
            let bytes = try await client.download(Self.route)
            do {
                try Data(bytes).write(to: URL(fileURLWithPath: file))
            } catch {
                throw Arguments.Fault("\(file) cannot be written: \(error)")
            }
        case "remove":
            try arguments.finish()
            try await client.callEmpty(.delete, Self.route)
        case let other: throw Arguments.Fault("'slate \(other)' is not a command; see --help")
        }
    }

    private static func picture(_ file: String) throws -> OwnPicture {
        guard let bytes = FileManager.default.contents(atPath: file) else { throw Arguments.Fault("\(file) cannot be read") }
        do throws(OwnPicture.Refusal) {
            return try OwnPicture([UInt8](bytes))
        } catch {
            throw Arguments.Fault("\(file): \(error)")
        }
    }
}
