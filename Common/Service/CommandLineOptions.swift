/// What a program was called with: words, and options that have a value each. Every name is known and given once.
package struct CommandLineOptions: Sendable, Equatable {
    /// In order, without the options.
    package let words: [String]
    private let values: [String: String]

    /// - Parameters:
    ///   - arguments: without the program's own name.
    ///   - names: of the options, with their dashes.
    /// - Returns: nil for an option that is unknown, repeated or without its value.
    package init?(_ arguments: some Sequence<String>, values names: Set<String>) {
        var words: [String] = []
        var values: [String: String] = [:]
        var pending: String?
        for argument in arguments {
            if let name = pending {
                values[name] = argument
                pending = nil
            } else if argument.hasPrefix("-") {
                guard names.contains(argument), values[argument] == nil else { return nil }
                pending = argument
            } else {
                words.append(argument)
            }
        }
        guard pending == nil else { return nil }
        self.words = words
        self.values = values
    }

    package subscript(name: String) -> String? { values[name] }
}
