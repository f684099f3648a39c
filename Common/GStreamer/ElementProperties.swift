import CGStreamer

/// Reading and writing the properties of one element, with the type and range of each held to.
struct ElementProperties {
    let element: UnsafeMutablePointer<GstElement>
    let elementName: String

    func set(_ name: String, to value: PropertyValue) throws(GStreamerError) {
        let specification = try find(name)
        var converted = GValue()
        g_value_init(&converted, specification.pointee.value_type)
        defer { g_value_unset(&converted) }
        guard fill(&converted, from: value) else { throw fault(name, "does not take a value of this kind") }
        // g_param_value_validate says whether it had to change the value to make it fit.
        if g_param_value_validate(specification, &converted) != 0 { throw fault(name, "the value is out of range") }
        g_object_set_property(strata_object(element), name, &converted)
    }

    /// The value as a field; nil for an unset structure or a type that has no case.
    func get(_ name: String) throws(GStreamerError) -> Structure.Field? {
        try read(name) { Structure.Field($0) }
    }

    func getStructure(_ name: String) throws(GStreamerError) -> Structure? {
        try read(name) { value in
            guard strata_value_holds_structure(value) != 0, let structure = gst_value_get_structure(value) else { return nil }
            return Structure(copying: structure)
        }
    }

    private func read<Result>(_ name: String, _ take: (UnsafePointer<GValue>) -> Result?) throws(GStreamerError) -> Result? {
        let specification = try find(name)
        var value = GValue()
        g_value_init(&value, specification.pointee.value_type)
        defer { g_value_unset(&value) }
        g_object_get_property(strata_object(element), name, &value)
        return take(&value)
    }

    private func find(_ name: String) throws(GStreamerError) -> UnsafeMutablePointer<GParamSpec> {
        guard let specification = strata_find_property(element, name) else { throw fault(name, "no such property") }
        return specification
    }

    private func fault(_ name: String, _ reason: String) -> GStreamerError {
        GStreamerError(function: "g_object_set_property", element: elementName, reason: "\(name): \(reason)")
    }

    private func fill(_ target: inout GValue, from value: PropertyValue) -> Bool {
        switch value {
        case .choice(let choice): return gst_value_deserialize(&target, choice.text) != 0
        case .caps(let caps):
            guard let made = caps.make() else { return false }
            defer { strata_caps_unref(made) }
            gst_value_set_caps(&target, made)
            return true
        case .structure(let structure):
            guard let made = structure.make() else { return false }
            defer { gst_structure_free(made) }
            gst_value_set_structure(&target, made)
            return true
        case .text(let text): return transform(.text(text), into: &target)
        case .number(let number): return transform(.number(number), into: &target)
        case .flag(let flag): return transform(.flag(flag), into: &target)
        case .integer(let integer): return transformInteger(integer, into: &target)
        }
    }

    private func transform(_ field: Structure.Field, into target: inout GValue) -> Bool {
        var source = field.value
        defer { g_value_unset(&source) }
        // A text is taken only by a text, a flag only by a flag: GLib would turn "x" into 0 and 7 into true.
        switch field {
        case .text: if strata_value_type(&target) != strata_type_string() { return false }
        case .flag: if strata_value_type(&target) != strata_type_boolean() { return false }
        default: if strata_value_type(&target) == strata_type_string() { return false }
        }
        return g_value_transform(&source, &target) != 0
    }

    private func transformInteger(_ integer: Int64, into target: inout GValue) -> Bool {
        guard strata_value_type(&target) != strata_type_string(), strata_value_type(&target) != strata_type_boolean() else { return false }
        var source = GValue()
        g_value_init(&source, strata_type_int64())
        defer { g_value_unset(&source) }
        g_value_set_int64(&source, gint64(integer))
        guard g_value_transform(&source, &target) != 0 else { return false }
        // GLib truncates silently: what comes back must be what went in.
        var back = GValue()
        g_value_init(&back, strata_type_int64())
        defer { g_value_unset(&back) }
        return g_value_transform(&target, &back) != 0 && g_value_get_int64(&back) == integer
    }
}
