/*
 * Where documents keep what we look for, by the shapes that log shippers write: Elastic Common
 * Schema, OpenTelemetry as Elastic stores it, Filebeat's and Fluent Bit's Kubernetes metadata, and
 * the flat names of hand-made pipelines.
 */
#include "dbconn/sources/elasticsearch.h"

static const char *const time_names[] = { "@timestamp", "timestamp",          "time",
                                          "ts",         "observed_timestamp", NULL };

/* "log" holds the line with Docker's and Fluent Bit's shapes; in ECS it is an object, never a leaf.
 */
static const char *const message_names[] = { "message",       "body.text", "log",  "msg",
                                             "MESSAGE",       "body",      "text", "event.original",
                                             "error.message", NULL };

static const char *const level_names[] = { "log.level", "severity_text", "level",
                                           "severity",  "log_level",     "loglevel",
                                           "lvl",       "levelname",     "log.syslog.severity.name",
                                           NULL };

static const char *const service_names[] = {
    "service.name",
    "resource.attributes.service.name",
    "service",
    "service_name",
    "kubernetes.labels.app_kubernetes_io/name",
    "kubernetes.labels.app.kubernetes.io/name",
    "kubernetes.labels.app",
    "kubernetes.deployment.name",
    "resource.attributes.k8s.deployment.name",
    "app",
    "application",
    "app_name",
    "fields.service",
    "fields.app",
    "container.name",
    "kubernetes.container.name",
    "kubernetes.container_name",
    "resource.attributes.k8s.container.name",
    "systemd.unit",
    "syslog.identifier",
    "process.name",
    "program",
    NULL,
};

/* A managed database's lines come through a forwarder, whose own name is not the machine's: Google
 * names the instance in the labels of the "cloudsql_database" resource, as "project:instance"; AWS
 * in the log group, "/aws/rds/instance/NAME/postgresql"; Azure in the resource. */
static const char *const host_names[] = {
    "resource.labels.database_id",
    "json.resource.labels.database_id",
    "host.name",
    "host.hostname",
    "resource.attributes.host.name",
    "hostname",
    "host",
    "log.syslog.hostname",
    "syslog_hostname",
    "beat.hostname",
    "server",
    "server_name",
    "kubernetes.node.name",
    "kubernetes.host",
    "resource.attributes.k8s.node.name",
    "node",
    "instance",
    "aws.cloudwatch.log_group",
    "azure.resource.name",
    NULL,
};

static const char *const host_ip_names[] = {
    "host.ip",           "resource.attributes.host.ip",    "host_ip", "hostip", "kubernetes.pod.ip",
    "kubernetes.pod_ip", "resource.attributes.k8s.pod.ip", NULL
};

static const char *const container_names[] = { "container.name",
                                               "kubernetes.container.name",
                                               "kubernetes.container_name",
                                               "resource.attributes.k8s.container.name",
                                               "resource.attributes.container.name",
                                               "container_name",
                                               NULL };

static const char *const pod_names[] = { "kubernetes.pod.name",
                                         "kubernetes.pod_name",
                                         "resource.attributes.k8s.pod.name",
                                         "pod_name",
                                         "pod",
                                         NULL };

static const char *const namespace_names[] = { "kubernetes.namespace",
                                               "kubernetes.namespace_name",
                                               "resource.attributes.k8s.namespace.name",
                                               "orchestrator.namespace",
                                               "namespace",
                                               NULL };

static const char *const dataset_names[] = { "event.dataset",
                                             "data_stream.dataset",
                                             "attributes.event.dataset",
                                             "attributes.data_stream.dataset",
                                             "event.module",
                                             "fileset.module",
                                             NULL };

static const char *const region_names[] = { "cloud.region",
                                            "resource.attributes.cloud.region",
                                            "region",
                                            "cloud.availability_zone",
                                            "resource.attributes.cloud.availability_zone",
                                            "availability_zone",
                                            "zone",
                                            "datacenter",
                                            "resource.labels.region",
                                            NULL };

static const char *const zone_names[] = { "cloud.availability_zone",
                                          "resource.attributes.cloud.availability_zone", "zone",
                                          "availability_zone", NULL };

static const struct es_fields defaults = {
    .time = time_names,
    .message = message_names,
    .level = level_names,
    .service = service_names,
    .host = host_names,
    .host_ip = host_ip_names,
    .container = container_names,
    .pod = pod_names,
    .namespace_ = namespace_names,
    .dataset = dataset_names,
    .region = region_names,
    .zone = zone_names,
};

const struct es_fields *es_default_fields(void)
{
    return &defaults;
}
