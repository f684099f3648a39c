import Identity
import Web

/// Where the control is whose rooms this host's streams join, as the pool knows it that is enrolled there: from its own identity, and from nobody who
/// asks for an output.
package struct ControlPlace: Sendable {
    let server: ServerOrigin
    let options: ClientOptions

    /// What `init` takes.
    package static let usage = "--control URL --authority TEXT [--proxy URL]"

    /// - Returns: nil where they cannot be understood.
    package init?(_ words: ArraySlice<String>) {
        var words = words
        var server: ServerOrigin?
        var options = ClientOptions()
        options.connectTimeout = .seconds(5)
        options.responseTimeout = .seconds(8)
        options.bodyLimit = 128 << 10
        while let name = words.popFirst() {
            guard let value = words.popFirst() else { return nil }
            switch name {
            // try?: what is wrong with it, its usage says.
            case "--control": server = try? ServerOrigin(value)
            case "--authority":
                guard let authority = EnrollmentToken.Authority(text: value) else { return nil }
                options.trust = authority.trust
            case "--proxy":
                guard let proxy = ClientOptions.Proxy(value) else { return nil }
                options.proxy = proxy
            default: return nil
            }
        }
        guard let server else { return nil }
        self.server = server
        self.options = options
    }
}
