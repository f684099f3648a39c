import DBus

/// The modems of this board, from what ModemManager says. Opens nothing.
struct ModemTable {
    /// Modems that are kept; a board has a few, and what claims to be more is not believed.
    static let limit = 16
    /// Properties of one interface, and interfaces of one modem.
    private static let propertyLimit = 256
    private static let interfaceLimit = 32

    private var objects: [String: [String: [String: BusValue]]] = [:]
    /// How many objects were left out since the last time that all were listed.
    private(set) var leftOut = 0

    /// By path, so that they stay in their order.
    var modems: [Modem] { objects.sorted { ($0.key.count, $0.key) < ($1.key.count, $1.key) }.compactMap { Modem(path: $0.key, $0.value) } }

    /// The answer of GetManagedObjects.
    mutating func replace(by value: BusValue?) {
        self = ModemTable()
        for (path, interfaces) in value?.table ?? [:] {
            guard case .path(let path) = path else { continue }
            added(path, interfaces)
        }
    }

    mutating func added(_ path: String, _ interfaces: BusValue?) {
        guard path.hasPrefix(Names.modems + "/"), let interfaces = interfaces?.properties else { return }
        guard objects[path] != nil || objects.count < Self.limit else {
            leftOut += 1
            return
        }
        for (name, properties) in interfaces { merge(path, name, properties.properties ?? [:]) }
    }

    mutating func removed(_ path: String, _ names: BusValue?) {
        for case .text(let name) in names?.list ?? [] { objects[path]?[name] = nil }
        if objects[path]?.isEmpty == true { objects[path] = nil }
    }

    /// PropertiesChanged: what is invalidated has no value until it is told again.
    mutating func changed(_ path: String, _ interface: String, _ properties: BusValue?, invalidated: BusValue?) {
        guard objects[path] != nil else { return }
        merge(path, interface, properties?.properties ?? [:])
        for case .text(let name) in invalidated?.list ?? [] { objects[path]?[interface]?[name] = nil }
    }

    private mutating func merge(_ path: String, _ interface: String, _ properties: [String: BusValue]) {
        var all = objects[path] ?? [:]
        guard all[interface] != nil || all.count < Self.interfaceLimit else { return }
        let merged = (all[interface] ?? [:]).merging(properties) { $1 }
        guard merged.count <= Self.propertyLimit else { return }
        all[interface] = merged
        objects[path] = all
    }
}
