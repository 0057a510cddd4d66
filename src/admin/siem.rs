//! A refusal as an event of the [Open Cybersecurity Schema Framework](https://schema.ocsf.io/1.5.0/classes/http_activity),
//! version 1.5.0.
//!
//! The class is *HTTP Activity* (4002) with the profile *security control*: a request came, and a control denied it. *API
//! Activity* (6003) and *Authentication* (3002) demand an actor or a user, and who was refused has proved to be nobody.
//! What was done to the record itself is no activity of a sender, and is left out.

/// The event of a row with its `readable` text. Members without a value are not there.
///
/// Attributes and their numbers are those of the schema's dictionary: `activity_id` is the method; `action_id` 2 is denied;
/// `disposition_id` 2 is blocked, 27 an error, which is ours; `status_id` 2 is a failure; `severity_id` 2 is low, and 3
/// medium, because a refusal alone is no incident and the gate's own trouble may lose one. The whole record is `unmapped`. One of a
/// tenant that is not configured has a label.
pub const EVENT: &str = "\
CASE WHEN verdict IN ('refused', 'unavailable') AND readable IS NOT NULL THEN json_patch('{}', json_object(
  'class_uid', 4002, 'class_name', 'HTTP Activity', 'category_uid', 4, 'category_name', 'Network Activity',
  'activity_id', CASE readable ->> 'method' WHEN 'DELETE' THEN 2 WHEN 'GET' THEN 3 WHEN 'HEAD' THEN 4 WHEN 'OPTIONS' THEN 5 WHEN 'POST' THEN 6 WHEN 'PUT' THEN 7 ELSE 99 END,
  'activity_name', readable ->> 'method',
  'type_uid', 400200 + CASE readable ->> 'method' WHEN 'DELETE' THEN 2 WHEN 'GET' THEN 3 WHEN 'HEAD' THEN 4 WHEN 'OPTIONS' THEN 5 WHEN 'POST' THEN 6 WHEN 'PUT' THEN 7 ELSE 99 END,
  'time', at_ms, 'severity_id', iif(verdict = 'refused', 2, 3), 'severity', iif(verdict = 'refused', 'Low', 'Medium'),
  'status_id', 2, 'status', 'Failure', 'status_detail', reason, 'message', verdict || ': ' || reason,
  'action_id', 2, 'action', 'Denied', 'disposition_id', iif(verdict = 'refused', 2, 27), 'disposition', iif(verdict = 'refused', 'Blocked', 'Error'),
  'metadata', json_object('version', '1.5.0', 'profiles', json_array('security_control'), 'uid', id, 'event_code', reason,
    'product', json_object('name', 'hookgate', 'vendor_name', 'hookgate'), 'log_name', source, 'tenant_uid', tenant,
    'correlation_uid', readable ->> 'ray_id', 'original_time', readable ->> 'time',
    'labels', iif(tenant IN (SELECT value FROM json_each(?CONFIGURED)), NULL, json_array('tenant_not_configured'))),
  'http_request', json_object('uid', id, 'http_method', readable ->> 'method', 'user_agent', readable ->> 'user_agent',
    'length', readable ->> 'body_bytes', 'url', json_object('path', readable ->> 'path')),
  'src_endpoint', iif(coalesce(address, readable ->> 'client_network') IS NULL, NULL, json_object('ip', address, 'name', readable ->> 'client_network',
    'autonomous_system', iif(readable ->> 'asn' IS NULL, NULL, json_object('number', readable ->> 'asn')),
    'location', iif(ifnull(readable ->> 'country', '') = '', NULL, json_object('country', readable ->> 'country')))),
  'unmapped', json(readable))) END";
