import TOML

/// Reads one program's configuration: a TOML text, over which the environment's `STRATA_<SECTION>_<KEY>` wins.
///
/// A getter that finds a fault notes it and returns a value of its type, so that all faults are found; nothing that was
/// read may be used before `finish` returned. For one thread.
package final class ConfigurationReader {
    private let source: String
    private let environment: [String: String]
    private let root: TOMLTable
    private var faults: [ConfigurationFault] = []
    /// Dotted keys and sections that some getter asked for.
    private var known: Set<String> = []
    private var variables: Set<String> = []

    /// - Parameters:
    ///   - text: the file's text.
    ///   - source: its name, for the faults.
    ///   - environment: of the process; empty for a text that comes from elsewhere.
    /// - Throws: `ConfigurationFaults` where the text is not TOML.
    package init(_ text: String, source: String, environment: [String: String] = [:]) throws(ConfigurationFaults) {
        self.source = source
        self.environment = environment
        do throws(TOMLFault) {
            root = try TOMLTable.parse(text)
        } catch {
            let (key, expected) = (ConfigurationFault.wholeText, "TOML: \(error.reason)")
            let fault = ConfigurationFault(key: key, value: nil, expected: expected, place: "\(error.position)")
            throw ConfigurationFaults(source: source, faults: [fault])
        }
    }

    /// The keys above the first header.
    package var top: ConfigurationSection { ConfigurationSection(self, path: "", table: root, hasVariables: true) }

    /// A section by its header; empty where the text has none.
    package func section(_ name: String) -> ConfigurationSection {
        known.insert(name)
        guard let value = root[name] else { return ConfigurationSection(self, path: name, table: [:], hasVariables: true) }
        guard case .table(let table) = value else {
            note(name, nil, "a section, [\(name)]", root.position(of: name).map { "\($0)" })
            return ConfigurationSection(self, path: name, table: [:], hasVariables: true)
        }
        return ConfigurationSection(self, path: name, table: table, hasVariables: true)
    }

    /// The sections of an array, `[[name]]`, in order. The environment cannot reach them.
    package func sections(_ name: String) -> [ConfigurationSection] {
        known.insert(name)
        guard let value = root[name] else { return [] }
        guard case .array(let values) = value else {
            note(name, nil, "sections, [[\(name)]]", root.position(of: name).map { "\($0)" })
            return []
        }
        return values.enumerated().compactMap { number, value in
            let path = "\(name)[\(number)]"
            known.insert(path)
            guard case .table(let table) = value else {
                note(path, nil, "a table", nil)
                return nil
            }
            return ConfigurationSection(self, path: path, table: table, hasVariables: false)
        }
    }

    /// The end of reading: what nobody asked for is unknown.
    /// - Throws: all faults together.
    package func finish() throws(ConfigurationFaults) {
        noteUnknown(in: root, path: "")
        noteUnknownVariables()
        guard faults.isEmpty else { throw ConfigurationFaults(source: source, faults: faults) }
    }

    /// A fault that only the program can see, e.g. two keys that exclude each other.
    package func note(_ key: String, _ value: String?, _ expected: String, _ place: String? = nil) {
        faults.append(ConfigurationFault(key: key, value: value, expected: expected, place: place))
    }

    /// Whether something is wrong with this key already: what its getter returned was not written by anybody then.
    package func hasFault(_ key: String) -> Bool { faults.contains { $0.key == key } }

    func markKnown(_ key: String) { known.insert(key) }

    /// The variable that overrides this key: `STRATA_SERVER_LISTEN`.
    func override(_ key: String) -> (variable: String, text: String)? {
        let name = "STRATA_" + key.uppercased().replacingDots()
        variables.insert(name)
        return environment[name].map { (name, $0) }
    }

    private func noteUnknown(in table: TOMLTable, path: String) {
        for entry in table.entries {
            let key = path.isEmpty ? entry.key : "\(path).\(entry.key)"
            guard known.contains(key) else {
                note(key, nil, ConfigurationFault.knownKey, entry.position.map { "\($0)" })
                continue
            }
            switch entry.value {
            case .table(let inner): noteUnknown(in: inner, path: key)
            case .array(let values):
                for (number, value) in values.enumerated() {
                    if case .table(let inner) = value { noteUnknown(in: inner, path: "\(key)[\(number)]") }
                }
            default: break
            }
        }
    }

    /// A variable is unknown where it begins as those of one of our sections do; others are somebody else's.
    private func noteUnknownVariables() {
        let prefixes = known.filter { !$0.contains(".") && !$0.contains("[") }.map { "STRATA_" + $0.uppercased() + "_" }
        for name in environment.keys.sorted() where !variables.contains(name) && prefixes.contains(where: name.hasPrefix) {
            note(name, nil, ConfigurationFault.knownKey, "environment")
        }
    }
}

extension String {
    fileprivate func replacingDots() -> String { String(map { $0 == "." ? "_" : $0 }) }
}
